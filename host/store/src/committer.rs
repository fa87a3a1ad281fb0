//! The committer: the one thread that decides, writes and applies.
//!
//! It takes all batches that wait, decides each against the state and the ones before it, writes
//! those it admits as one group, applies them, and only then answers anyone: also who was refused
//! on the strength of a batch of the same group.
//!
//! On a disk that is full (`room`) it refuses what is asked, and goes on when it no longer is.
//!
//! What stops it, for good: a write or fsync that failed other than by a full disk, a state that
//! cannot be read or written, a checkpoint whose digest is not the state's.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot, watch};

use crate::checkpoint::{self, Task};
use crate::checksum::Mark;
use crate::group::Group;
use crate::journal_store::{OnStop, Shared};
use crate::recovery::Recovered;
use crate::room::Room;
use crate::{Batch, Error, Kind, Options, Receipt};

/// A group ends at this many batches, or once the state may grow by so much for it: twice that is
/// what is kept for sled beside the default reserve.
const GROUP_BATCHES_MAX: usize = 512;
const GROUP_GROWTH_MAX: u64 = 8 * 1024 * 1024;
/// A checkpoint is due after this many bytes of values, however few the frames.
const CHECKPOINT_BYTES: u64 = 256 * 1024 * 1024;

/// What the committer is asked.
pub(crate) enum Order {
    Commit(Batch, Reply),
    Close(oneshot::Sender<Result<(), Error>>),
}

type Reply = oneshot::Sender<Result<Receipt, Error>>;

pub(crate) struct Committer {
    shared: Arc<Shared>,
    recovered: Recovered,
    room: Room,
    mark: Mark,
    sequence: watch::Sender<u64>,
    checkpoint: Schedule,
    on_stop: Option<OnStop>,
}

/// When the next checkpoint is due, and the one being made.
struct Schedule {
    task: Task,
    every_frames: u64,
    last_sequence: u64,
    bytes: u64,
    making: Option<JoinHandle<Result<(), Error>>>,
}

/// A group with its callers.
struct Gathered {
    group: Group,
    admitted: Vec<Batch>,
    /// Who waits for an answer, and for which.
    waiting: Vec<(Reply, Result<Receipt, Error>)>,
}

impl Committer {
    pub(crate) fn new(
        options: &Options,
        shared: Arc<Shared>,
        (recovered, room): (Recovered, Room),
        sequence: watch::Sender<u64>,
    ) -> Committer {
        let Recovered { layout, id, mark, checkpointed, .. } = &recovered;
        let (disk, layout, mark) = (Arc::clone(&options.disk), layout.clone(), *mark);
        let checkpoint = Schedule {
            task: Task { disk, layout, id: *id, mark, gauge: room.gauge().clone() },
            every_frames: options.checkpoint_frames.max(1),
            last_sequence: *checkpointed,
            bytes: 0,
            making: None,
        };
        let on_stop = options.on_stop.clone();
        Committer { shared, recovered, room, mark, sequence, checkpoint, on_stop }
    }

    /// Works until it is told to close, nobody can ask any more, or it has to stop.
    pub(crate) fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let worked = catch_unwind(AssertUnwindSafe(|| self.work(&mut orders)));
        let ended = worked.unwrap_or_else(|_| {
            Err(Error::new(Kind::Stopped, "the committer panicked; start the process again"))
        });
        orders.close();
        let closing = match ended {
            Ok(closing) => closing,
            Err(why) => {
                self.stop(&why);
                None
            }
        };
        self.shared.end("the store is closed; open it again");
        while let Some(order) = orders.blocking_recv() {
            refuse(order, &self.shared);
        }
        self.finish(closing);
    }

    /// Gives the answer to a request to close, when it ends by one.
    fn work(&mut self, orders: &mut mpsc::Receiver<Order>) -> Result<Option<Closing>, Error> {
        while let Some(first) = orders.blocking_recv() {
            self.checkpoint.collect(false)?;
            let (gathered, closing) = self.gather(first, orders);
            self.settle(gathered)?;
            if let Some(reply) = closing {
                return Ok(Some(reply));
            }
            self.checkpoint.begin_if_due(&self.mark);
        }
        Ok(None)
    }

    /// Takes what waits, in order, up to the size of a group or a request to close.
    fn gather(
        &mut self,
        first: Order,
        orders: &mut mpsc::Receiver<Order>,
    ) -> (Gathered, Option<Closing>) {
        let mut gathered = Gathered::on(&self.mark);
        let admits = self.room.look();
        let mut next = Some(first);
        while let Some(order) = next {
            match order {
                Order::Commit(batch, reply) => match admits.refuse(&batch) {
                    Ok(()) => gathered.take(&self.shared, batch, reply),
                    Err(full) => drop(reply.send(Err(full))),
                },
                Order::Close(reply) => return (gathered, Some(reply)),
            }
            next = if gathered.is_full() { None } else { orders.try_recv().ok() };
        }
        (gathered, None)
    }

    /// Makes a group durable, applies it, answers everyone.
    fn settle(&mut self, gathered: Gathered) -> Result<(), Error> {
        let Gathered { group, admitted, waiting } = gathered;
        if let Some(broken) = waiting.iter().find_map(|(_, answer)| failure_of_state(answer)) {
            answer_all(waiting, &broken);
            return Err(broken);
        }
        if admitted.is_empty() {
            waiting.into_iter().for_each(|(reply, answer)| drop(reply.send(answer)));
            return Ok(());
        }
        match self.make_durable(group, &admitted) {
            Ok(()) => {
                waiting.into_iter().for_each(|(reply, answer)| drop(reply.send(answer)));
                Ok(())
            }
            Err(e) => {
                answer_all(waiting, &e);
                if *e.kind() == Kind::Full { Ok(()) } else { Err(e) }
            }
        }
    }

    fn make_durable(&mut self, group: Group, admitted: &[Batch]) -> Result<(), Error> {
        self.room.own_for(&group)?;
        let place = match self.recovered.journal.append(admitted) {
            // The journal is as it was; with the reserve there is room for this group.
            Err(e) if *e.kind() == Kind::Full && self.room.found_full() => {
                self.recovered.journal.append(admitted)?
            }
            appended => appended?,
        };
        let mark = group.mark(place);
        self.checkpoint.bytes += group.bytes() as u64;
        let unapplied = |e: Error| {
            let what = format!(
                "commits up to {} are durable, but the state does not take them ({e}); start the \
                 process again: they will be there",
                place.sequence
            );
            Error::new(Kind::Stopped, what).because(e)
        };
        self.shared.state.apply(group, &mark).map_err(unapplied)?;
        self.mark = mark;
        self.sequence.send_replace(place.sequence);
        Ok(())
    }

    fn stop(&mut self, why: &Error) {
        tracing::error!(%why, "the store stops");
        self.shared.end(&why.to_string());
        if let Some(on_stop) = self.on_stop.take() {
            on_stop(why);
        }
    }

    /// Writes the last checkpoint, if that was asked for, and lets everything go.
    fn finish(mut self, closing: Option<Closing>) {
        let collected = self.checkpoint.collect(true);
        let written = match closing {
            Some(_) => collected.and_then(|()| self.checkpoint.write_last(&self.mark)),
            None => collected,
        };
        self.shared.state.close();
        let Recovered { lock, journal, .. } = self.recovered;
        drop((journal, lock));
        if let Some(reply) = closing {
            drop(reply.send(written));
        } else if let Err(why) = written {
            tracing::warn!(%why, "no checkpoint");
        }
    }
}

type Closing = oneshot::Sender<Result<(), Error>>;

impl Gathered {
    fn on(mark: &Mark) -> Gathered {
        Gathered { group: Group::on(mark), admitted: Vec::new(), waiting: Vec::new() }
    }

    fn take(&mut self, shared: &Shared, batch: Batch, reply: Reply) {
        let admitted = self.group.admit(&shared.state, batch.clone());
        if admitted.is_ok() {
            self.admitted.push(batch);
        }
        self.waiting.push((reply, admitted.map(|sequence| Receipt { sequence })));
    }

    fn is_full(&self) -> bool {
        self.waiting.len() >= GROUP_BATCHES_MAX || self.group.growth() >= GROUP_GROWTH_MAX
    }
}

impl Schedule {
    /// Takes the result of a checkpoint that is finished; waits for it if asked to.
    fn collect(&mut self, wait: bool) -> Result<(), Error> {
        let Some(making) = self.making.take_if(|it| wait || it.is_finished()) else {
            return Ok(());
        };
        let made = making.join().unwrap_or_else(|_| {
            Err(Error::new(Kind::Damaged, "writing a checkpoint panicked; report this"))
        });
        match made {
            Err(e) if *e.kind() != Kind::Damaged => {
                tracing::warn!(why = %e, "no checkpoint; it is tried again later");
                Ok(())
            }
            made => made,
        }
    }

    fn begin_if_due(&mut self, mark: &Mark) {
        let frames = mark.place.sequence - self.last_sequence;
        let due = frames >= self.every_frames || self.bytes >= CHECKPOINT_BYTES;
        let due = due && self.task.gauge.has_room_to_spare();
        if !due || self.making.is_some() {
            return;
        }
        (self.last_sequence, self.bytes) = (mark.place.sequence, 0);
        let task = Task { mark: *mark, ..self.task.clone() };
        let thread = std::thread::Builder::new().name("store-checkpoint".to_owned());
        self.making = thread.spawn(move || checkpoint::write(&task)).ok();
    }

    fn write_last(&self, mark: &Mark) -> Result<(), Error> {
        checkpoint::write(&Task { mark: *mark, ..self.task.clone() })
    }
}

/// An error of the state rather than of the batch.
fn failure_of_state(answer: &Result<Receipt, Error>) -> Option<Error> {
    let e = answer.as_ref().err().filter(|e| !e.is_conflict())?;
    Some(Error::new(Kind::Stopped, e.to_string()))
}

/// The same answer to everyone of a group.
fn answer_all(waiting: Vec<(Reply, Result<Receipt, Error>)>, why: &Error) {
    for (reply, _) in waiting {
        drop(reply.send(Err(Error::new(why.kind().clone(), why.to_string()))));
    }
}

fn refuse(order: Order, shared: &Shared) {
    match order {
        Order::Commit(_, reply) => drop(reply.send(Err(shared.why_ended()))),
        // Whoever asks to close a store that is closing has what was asked for.
        Order::Close(reply) => drop(reply.send(Ok(()))),
    }
}
