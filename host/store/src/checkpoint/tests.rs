//! That a checkpoint is made from the journal alone and contradicts a state that is not its.

use std::path::Path;

use super::{Checkpoint, Task, write};
use crate::recovery::recover;
use crate::room::Gauge;
use crate::{Batch, JournalStore, Kind, Options, Space, Store};

const SPACE: Space = Space::named("some");

/// What a store with a few commits would have a checkpoint made of.
async fn task(dir: &Path) -> Task {
    let store = JournalStore::open(Options::new(dir)).unwrap();
    for round in 0..5_u8 {
        let mut batch = Batch::at(0);
        batch.put(SPACE, [round % 2], [round]);
        store.commit(batch).await.unwrap();
    }
    drop(store);
    let options = Options::new(dir);
    let (recovered, state) = recover(&options).unwrap();
    state.close();
    let disk = options.disk;
    let gauge = Gauge::new(disk.clone(), recovered.layout.clone(), 0);
    Task { disk, layout: recovered.layout, id: recovered.id, mark: recovered.mark, gauge }
}

#[tokio::test]
async fn a_checkpoint_has_the_digest_of_the_state_it_never_read() {
    let dir = tempfile::tempdir().unwrap();
    let task = task(dir.path()).await;
    write(&task).unwrap();
    let (made, passed_over) = Checkpoint::list(&task.layout, &task.id).unwrap();
    assert_eq!((made.len(), passed_over.len()), (1, 0));
    assert_eq!(made[0].mark, task.mark);
    made[0].check(&task.id).unwrap();
}

#[tokio::test]
async fn a_state_that_does_not_follow_from_the_journal_is_called_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let mut task = task(dir.path()).await;
    task.mark.digest ^= 1;
    let refused = write(&task).unwrap_err();
    assert_eq!(*refused.kind(), Kind::Damaged);
    assert!(refused.to_string().contains("does not follow from the journal"), "{refused}");
}
