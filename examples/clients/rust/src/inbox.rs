//! Where notifications arrive: a small web server that takes nothing it cannot verify.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::HeaderMap;
use serde_json::Value;
use standardwebhooks::Webhook;
use tiny_http::{Request, Response, Server};

use crate::Error;

pub struct Inbox {
    pub url: String,
    secret: Arc<Mutex<Option<Webhook>>>,
    arrived: Receiver<Value>,
}

impl Inbox {
    pub fn open() -> Result<Inbox, Error> {
        let server = Server::http("127.0.0.1:0")?;
        let url = format!("http://{}/tollgate", server.server_addr());
        let secret = Arc::new(Mutex::new(None));
        let (sender, arrived) = channel();
        let shared = secret.clone();
        std::thread::spawn(move || {
            server.incoming_requests().for_each(|it| take(it, &shared, &sender))
        });
        Ok(Inbox { url, secret, arrived })
    }

    /// The endpoint's secret, `whsec_…`, as it was shown once.
    pub fn believe(&self, secret: &str) -> Result<(), Error> {
        let webhook = Webhook::new(secret)?;
        *self.secret.lock().map_err(|_| "poisoned")? = Some(webhook);
        Ok(())
    }

    /// The notification of this event of this payment. Others are of no concern here.
    pub fn wait_for(&self, name: &str, payment: &Value) -> Result<Value, Error> {
        loop {
            let event = self.arrived.recv_timeout(Duration::from_secs(60))?;
            if event["name"] == name && event["payment"]["id"] == payment["id"] {
                return Ok(event);
            }
        }
    }
}

fn take(mut request: Request, secret: &Mutex<Option<Webhook>>, arrived: &Sender<Value>) {
    let mut body = Vec::new();
    let read = request.as_reader().read_to_end(&mut body).is_ok();
    let headers = headers(&request);
    let genuine = secret.lock().is_ok_and(|known| {
        known.as_ref().is_some_and(|webhook| webhook.verify(&body, &headers).is_ok())
    });
    let event = serde_json::from_slice(&body).ok().filter(|_| read && genuine);
    // Answer at once; what there is to do is done later.
    let status = if event.is_some() { 204 } else { 400 };
    let _ = request.respond(Response::empty(status));
    event.map(|event| arrived.send(event));
}

fn headers(request: &Request) -> HeaderMap {
    let pair = |header: &tiny_http::Header| {
        let name = http::HeaderName::try_from(header.field.to_string()).ok()?;
        Some((name, http::HeaderValue::try_from(header.value.as_str()).ok()?))
    };
    request.headers().iter().filter_map(pair).collect()
}
