//! Deliveries of providers: handed to the engine as they came, to the byte, and answered with
//! what it says. Nothing is proven, parsed or logged here.

use engine::Delivery;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, StatusCode};

use crate::answer::Answer;
use crate::problem::Problem;
use crate::route::Visit;

pub(crate) async fn deliver(visit: Visit) -> Result<Answer, Problem> {
    let path = visit.parts.uri.path_and_query().map_or("", |target| target.as_str());
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = visit.parts.headers.iter();
    let delivery = Delivery {
        method: visit.parts.method.as_str().to_owned(),
        path: path.to_owned(),
        headers: headers.map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
        body: visit.raw.to_vec(),
    };
    let told = visit.payments.deliver(visit.named(), delivery).await?;
    let status = StatusCode::from_u16(told.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = Answer::new(status, told.body);
    for (name, value) in &told.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) else { continue };
        if ![CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(&name) {
            answer.headers.append(name, value);
        }
    }
    Ok(answer)
}
