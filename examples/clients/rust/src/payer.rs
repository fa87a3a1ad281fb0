//! The payer of a test payment, who opens the page and presses one of its buttons.

use crate::Error;

/// `decision` is `paid` or `refused`.
pub fn decide(page_url: &str, decision: &str) -> Result<(), Error> {
    let page = ureq::get(page_url).call()?.into_body().read_to_string()?;
    let wanted = format!("name=\"decision\" value=\"{decision}\"");
    let form = page.split("<form").find(|form| form.contains(&wanted)).ok_or("no such button")?;
    let action = attribute(form, "action").ok_or("the form goes nowhere")?;
    let inputs = form.split("<input").skip(1);
    let fields: Vec<_> = inputs
        .filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?)))
        .collect();
    // The page stands at the top of the host, and the form's address is relative to it.
    let (host, _) = page_url.split_once("/test-payment").ok_or("not the page of a test payment")?;
    ureq::post(format!("{host}/{action}")).send_form(fields)?;
    Ok(())
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.split_once(&format!("{name}=\""))?.1.split('"').next()
}
