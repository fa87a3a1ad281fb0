//! Which operation a request means. There is no pattern language: a path is compared segment by
//! segment with each route of the [table](crate::table).

use http::Method;

use crate::catalogue::{METHOD_NOT_ALLOWED, NOTHING_HERE};
use crate::problem::Problem;
use crate::query::decode;
use crate::route::Route;
use crate::table::ROUTES;

/// The route of a request, and the decoded parameters of its path.
pub(crate) fn find(method: &Method, path: &str) -> Result<(&'static Route, Vec<String>), Problem> {
    // `HEAD` is the same question as `GET`, answered without the body.
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    let mut allowed = Vec::new();
    for route in ROUTES {
        let Some(parameters) = route.fit(path) else { continue };
        if route.method == method {
            let decoded = parameters.into_iter().map(|value| decode(value, false));
            return Ok((route, decoded.collect::<Result<_, _>>()?));
        }
        allowed.push(route.method);
    }
    Err(nothing(path, &allowed))
}

fn nothing(path: &str, allowed: &[&str]) -> Problem {
    if allowed.is_empty() {
        return match decode(path, false) {
            Ok(_) => Problem::new(&NOTHING_HERE, "no operation has this path"),
            Err(problem) => problem,
        };
    }
    let mut names = allowed.to_vec();
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    let names = names.join(", ");
    let detail = format!("this path takes {names}");
    Problem::new(&METHOD_NOT_ALLOWED, detail).header("allow", names)
}
