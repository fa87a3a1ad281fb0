//! Reports: asked of a fresh instance like an operation, and no reason for a quarantine.

use super::guest::{Guest, starting};
use super::world::{around, authorize, limits, loaded};
use crate::contract::{Failure, Piece, Reply, Span};

const SPAN: Span = Span { since: 1, until: 2 };

#[tokio::test]
async fn a_plugin_without_reports_says_so_in_each_of_the_three() {
    let plugin = loaded(limits(), &starting("", ""));
    let unsupported = Failure::Unsupported(String::new());
    let begun = plugin.begin(around(), SPAN).await.unwrap().answer;
    assert_eq!(begun, Err(unsupported.clone()));
    let reply = Reply::Frame(b"a reply".to_vec());
    let gone_on = plugin.proceed(around(), SPAN, b"state".to_vec(), reply).await.unwrap().answer;
    assert_eq!(gone_on, Err(unsupported.clone()));
    let piece = Piece { state: Vec::new(), bytes: b"a piece".to_vec(), last: true };
    assert_eq!(plugin.read(around(), piece).await.unwrap().answer, Err(unsupported));
}

#[tokio::test]
async fn a_report_that_breaks_its_plugin_keeps_nobody_from_paying() {
    let broken = Guest { realloc: "(unreachable)", ..Guest::default() };
    let plugin = loaded(limits(), &broken.component());
    let piece = || Piece { state: Vec::new(), bytes: b"a piece".to_vec(), last: true };
    for _ in 0..100 {
        plugin.read(around(), piece()).await.unwrap_err();
    }
    assert_eq!(plugin.quarantined(), None);
    for _ in 0..100 {
        plugin.start(around(), authorize()).await.unwrap_err();
    }
    assert!(plugin.quarantined().is_some(), "the same in a payment does count");
}
