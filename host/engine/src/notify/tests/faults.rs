//! What a store that refuses, or a row that cannot be read, does to notifications; and what two do
//! at the same time.

use std::sync::atomic::Ordering;

use ledger::Id;
use store::{Batch, Store};

use super::bench::{Bench, Door, options};
use crate::notify::{NotifyOptions, Stage};
use crate::{Error, record};

/// An endpoint one failed try before the end of its schedule, with 20 that wait for it.
async fn nearly_hopeless(bench: &Bench, door: &Door) -> Id {
    let endpoint = bench.endpoint(door).await;
    for n in 0..20 {
        bench.happens(n).await;
    }
    bench.working(bench.failed(&endpoint, 2)).await;
    bench.advance(400);
    endpoint
}

#[tokio::test]
async fn while_the_disk_is_full_for_anything_new_dead_letters_are_recorded_in_the_reserve() {
    let (bench, door) = (Bench::new(options(&[400])), Door::open().await);
    let endpoint = nearly_hopeless(&bench, &door).await;
    bench.store.reserve.store(true, Ordering::SeqCst);
    bench.until(&endpoint, Stage::Dead, 20).await;
    assert_eq!(bench.count(&endpoint, Stage::Waiting).await, 0);
}

#[tokio::test]
async fn a_dead_letter_that_cannot_be_recorded_ends_no_sending_to_another_endpoint() {
    let (bench, door) = (Bench::new(options(&[400])), Door::open().await);
    let endpoint = nearly_hopeless(&bench, &door).await;
    bench.store.no_dead.store(true, Ordering::SeqCst);
    let (others, held) = (bench.of_app(9), Door::held().await);
    held.answers(204);
    let other = others.endpoint(&held).await;
    others.happens(0).await;
    let refused = bench.store.refused.subscribe();
    bench
        .working(async {
            held.asked(1).await;
            // The probe fails, and all would be given up; so does the next.
            for count in [1, 2] {
                refused.clone().wait_for(|refused| *refused >= count).await.unwrap();
                bench.advance(60_000);
            }
            held.release(1);
            others.stand(&other, Stage::Delivered, 1).await;
            assert_eq!(held.count(), 1, "it was sent once");
            // As soon as they can be, they are.
            bench.store.no_dead.store(false, Ordering::SeqCst);
            bench.stand(&endpoint, Stage::Dead, 20).await;
        })
        .await;
}

#[tokio::test]
async fn a_row_that_cannot_be_read_keeps_no_other_endpoint_waiting() {
    let (bench, door) = (Bench::new(options(&[400])), Door::open().await);
    let endpoint = bench.endpoint(&door).await;
    let prefix = record::outbox_prefix(&record::endpoint_key(&bench.app, &endpoint));
    let mut batch = Batch::at(1);
    batch.append(record::OUTBOX, prefix, b"{}".to_vec());
    bench.store.commit(batch).await.unwrap();
    let (others, well) = (bench.of_app(9), Door::open().await);
    well.answers(204);
    let other = others.endpoint(&well).await;
    others.happens(0).await;
    others.until(&other, Stage::Delivered, 1).await;
    assert_eq!((well.count(), door.count()), (1, 0));
}

#[tokio::test]
async fn however_many_add_endpoints_at_the_same_time_an_app_has_no_more_than_it_may() {
    let most = NotifyOptions { endpoints_max: 3, ..options(&[400]) };
    let (bench, door) = (Bench::new(most), Door::open().await);
    bench.endpoint(&door).await;
    let add = || bench.try_endpoint(&door);
    let (a, b, c, d, e) = tokio::join!(add(), add(), add(), add(), add());
    let refused = [a, b, c, d, e].into_iter().filter_map(Result::err).collect::<Vec<Error>>();
    assert!(refused.iter().all(|why| matches!(why, Error::TooManyEndpoints(3))), "{refused:?}");
    assert_eq!((refused.len(), bench.engine.registered(&bench.app).await.unwrap().len()), (3, 3));
    // Another app has its own, and one that is removed makes room.
    bench.of_app(9).endpoint(&door).await;
    let known = bench.engine.registered(&bench.app).await.unwrap();
    bench.engine.remove_endpoint(&bench.app, &known[0].id).await.unwrap();
    bench.endpoint(&door).await;
    assert!(add().await.is_err());
}
