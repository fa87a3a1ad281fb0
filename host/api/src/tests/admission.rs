//! Connections beyond their number.

use super::wire::{Asked, Host};
use crate::limits::Limits;
use crate::problem::Place;
use crate::shape::Faults;
use crate::vocabulary::PROBLEM;

async fn one_too_many_is_told_so(limits: Limits) {
    let host = Host::with(limits).await;
    let mut held = host.connect().await;
    held.write(&Asked::get("/health").bytes()).await;
    assert_eq!(held.read(false).await.status, 200);

    let mut second = host.connect().await;
    second.write(&Asked::get("/health").bytes()).await;
    let heard = second.read(false).await;
    assert_eq!((heard.status, heard.code().as_str()), (503, "too-many-connections"));
    let wait: u64 = heard.header("retry-after").unwrap().parse().unwrap();
    assert!((2..=8).contains(&wait), "{wait}");
    assert_eq!(heard.header("connection"), Some("close"));
    assert!(heard.header("request-id").is_some());
    let mut faults = Faults::of(Place::Body);
    PROBLEM.check(&heard.json(), "", &mut faults);
    assert_eq!(faults.into_list(), []);
    second.closed().await;

    held.write(&Asked::get("/health").bytes()).await;
    assert_eq!(held.read(false).await.status, 200, "the first is not disturbed");
}

#[tokio::test]
async fn a_connection_beyond_the_limit_of_all_is_told_so() {
    one_too_many_is_told_so(Limits { connections_max: 1, ..Limits::default() }).await;
}

#[tokio::test]
async fn a_connection_beyond_the_limit_of_its_peer_is_told_so() {
    one_too_many_is_told_so(Limits { connections_per_peer_max: 1, ..Limits::default() }).await;
}

#[tokio::test]
async fn a_place_is_free_again_when_its_connection_has_ended() {
    let host = Host::with(Limits { connections_max: 1, ..Limits::default() }).await;
    let closing = Asked::get("/health").also("connection", "close");
    for _ in 0..5 {
        loop {
            let mut client = host.connect().await;
            client.write(&closing.bytes()).await;
            // The place before it is given back a moment after its client saw the end.
            if client.read(false).await.status == 200 {
                client.closed().await;
                break;
            }
        }
    }
}
