//! One alarm for all streams: an absolute timer and a heap of who waits until when.
//!
//! A timer a stream would cost three system calls a token; this one costs two a wake, however many streams are due at it. Times
//! are absolute, so a late wake does not shift the next.

use crate::clock::{self, Alarm};
use crate::units::Stamp;
use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tokio::sync::Notify;

/// Who waits until when.
#[derive(Debug, Default)]
pub struct Schedule {
    waiting: RefCell<BinaryHeap<Reverse<Waiting>>>,
    earlier: Notify,
}

#[derive(Debug)]
struct Waiting {
    at: Stamp,
    waker: Waker,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Waiting) -> bool {
        self.at == other.at
    }
}
impl Eq for Waiting {}
impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Waiting) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Waiting {
    fn cmp(&self, other: &Waiting) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

impl Schedule {
    /// Wakes whoever is due, for ever. One task of the runtime runs this.
    pub async fn keep(&self) -> io::Result<()> {
        let mut alarm = Alarm::new()?;
        loop {
            let next = self.wake_due();
            match next {
                None => self.earlier.notified().await,
                Some(at) => tokio::select! {
                    rung = alarm.until(at) => rung?,
                    () = self.earlier.notified() => {}
                },
            }
        }
    }

    /// Wakes the due ones and says when the next is due.
    fn wake_due(&self) -> Option<Stamp> {
        let now = clock::mono();
        let mut waiting = self.waiting.borrow_mut();
        while let Some(Reverse(first)) = waiting.peek() {
            if first.at > now {
                return Some(first.at);
            }
            if let Some(Reverse(due)) = waiting.pop() {
                due.waker.wake();
            }
        }
        None
    }

    /// Waits until `at`; does not wait if that is past.
    pub fn until(&self, at: Stamp) -> Until<'_> {
        Until { schedule: self, at, entered: false }
    }
}

/// The future of [`Schedule::until`].
#[derive(Debug)]
pub struct Until<'a> {
    schedule: &'a Schedule,
    at: Stamp,
    entered: bool,
}

impl Future for Until<'_> {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.at <= clock::mono() {
            return Poll::Ready(());
        }
        // A task polls this for other reasons too (it waits for its socket beside it). Its waker is the same then, and one entry does.
        if !self.entered {
            self.entered = true;
            let mut waiting = self.schedule.waiting.borrow_mut();
            let first = waiting.peek().is_none_or(|Reverse(first)| self.at < first.at);
            waiting.push(Reverse(Waiting { at: self.at, waker: context.waker().clone() }));
            if first {
                self.schedule.earlier.notify_one();
            }
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::ms;
    use std::rc::Rc;

    #[tokio::test]
    async fn sleepers_wake_in_the_order_of_their_times_and_never_early() {
        let schedule = Rc::new(Schedule::default());
        let order = Rc::new(RefCell::new(Vec::new()));
        let local = tokio::task::LocalSet::new();
        let keeper = schedule.clone();
        local.spawn_local(async move { keeper.keep().await });
        let begun = clock::mono();
        let mut tasks = Vec::new();
        for after in [9, 3, 6, 0] {
            let (schedule, order) = (schedule.clone(), order.clone());
            tasks.push(local.spawn_local(async move {
                schedule.until(begun.plus(ms(after))).await;
                assert!(clock::mono() >= begun.plus(ms(after)));
                order.borrow_mut().push(after);
            }));
        }
        local
            .run_until(async {
                for task in tasks {
                    task.await.unwrap();
                }
            })
            .await;
        assert_eq!(*order.borrow(), [0, 3, 6, 9]);
    }
}
