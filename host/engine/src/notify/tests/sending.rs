//! How notifications end that are sent, and what becomes of those that are not.

use store::{Batch, Store};

use super::bench::{Bench, Door, options};
use crate::notify::{Health, NotifyOptions, Stage};

#[tokio::test]
async fn what_waits_for_an_endpoint_that_is_gone_is_removed() {
    let (bench, door) = (Bench::new(options(&[400])), Door::open().await);
    let endpoint = bench.endpoint(&door).await;
    let known = bench.engine.registered(&bench.app).await.unwrap();
    bench.engine.remove_endpoint(&bench.app, &endpoint).await.unwrap();
    assert!(bench.engine.endpoint(&bench.app, &endpoint).await.is_err());
    // Written by a commit that had read the endpoint before it was removed.
    let mut batch = Batch::at(1);
    let key = crate::record::endpoint_key(&bench.app, &known[0].id);
    batch.append(crate::record::OUTBOX, crate::record::outbox_prefix(&key), b"{}".to_vec());
    bench.store.commit(batch).await.unwrap();
    let mut changes = bench.store.subscribe();
    let removed = async {
        let all = || bench.store.scan(store::Range::all(crate::record::OUTBOX));
        while !all().await.unwrap().is_empty() {
            changes.changed().await.unwrap();
        }
    };
    bench.working(removed).await;
    assert_eq!(door.count(), 0);
}

#[tokio::test]
async fn what_was_delivered_is_removed_after_its_time_and_what_is_younger_stays() {
    let day_ms = 24 * 60 * 60 * 1000;
    let keep = NotifyOptions { keep_delivered_ms: 10 * day_ms, ..options(&[400]) };
    let (bench, door) = (Bench::new(keep), Door::open().await);
    door.answers(204);
    let (one, other) = (bench.endpoint(&door).await, bench.endpoint(&door).await);
    for n in 0..3 {
        bench.happens(n).await;
    }
    bench.until(&one, Stage::Delivered, 3).await;
    bench.until(&other, Stage::Delivered, 3).await;
    bench.advance(5 * day_ms);
    bench.happens(9).await;
    bench.until(&one, Stage::Delivered, 4).await;
    bench.until(&other, Stage::Delivered, 4).await;
    bench.advance(5 * day_ms);
    assert_eq!(bench.engine.expire().await.unwrap(), 0, "on the very day it is still there");
    bench.advance(1);
    assert_eq!(bench.engine.expire().await.unwrap(), 6);
    assert_eq!(bench.count(&one, Stage::Delivered).await, 1);
    assert_eq!(bench.count(&other, Stage::Delivered).await, 1);
}

#[tokio::test]
async fn an_endpoint_that_is_gone_for_good_is_disabled_and_told_again_when_it_is_enabled() {
    let (bench, door) = (Bench::new(options(&[400])), Door::open().await);
    let endpoint = bench.endpoint(&door).await;
    door.answers(410);
    for n in 0..3 {
        bench.happens(n).await;
    }
    let mut changes = bench.store.subscribe();
    let audited = async {
        // The line in the trail comes after the endpoint is disabled.
        while bench.engine.audit().lines(0, 10).await.unwrap().is_empty() {
            changes.changed().await.unwrap();
        }
    };
    bench.working(audited).await;
    let Health::Disabled { why, .. } = bench.health(&endpoint).await else {
        panic!("{:?}", bench.health(&endpoint).await)
    };
    assert_eq!(why, "it answered 410 Gone");
    let lines = bench.engine.audit().lines(0, 10).await.unwrap();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(
        (line.action.as_str(), line.object.as_str()),
        ("disableEndpoint", endpoint.as_str())
    );
    assert_eq!(line.actor, crate::audit::Actor::Host);
    assert_eq!(door.count(), 1, "nothing more was sent");
    // What happens meanwhile is not for it; what waited is kept.
    bench.happens(7).await;
    assert_eq!(bench.count(&endpoint, Stage::Waiting).await, 3);
    door.answers(204);
    bench.engine.enable_endpoint(&bench.app, &endpoint).await.unwrap();
    assert_eq!(bench.health(&endpoint).await, Health::Taking);
    bench.until(&endpoint, Stage::Delivered, 3).await;
    assert_eq!(door.count(), 4);
}
