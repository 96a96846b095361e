//! Which connections a `reqwest` client opens: the only way to know whether an exchange went over a new one.

use super::blame::next_id;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};

/// Counts the connections that a client begins to open, and those whose opening is over, well or not.
#[derive(Debug, Clone)]
pub(super) struct Opened(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    begun: AtomicU32,
    over: AtomicU32,
    /// Number of the latest.
    id: AtomicU64,
}

impl Opened {
    /// Of a client that has opened none.
    pub(super) fn none() -> Opened {
        Opened(Arc::new(Counts { begun: AtomicU32::new(0), over: AtomicU32::new(0), id: AtomicU64::new(next_id()) }))
    }
    /// Number of the latest connection, or of the first to come.
    pub(super) fn id(&self) -> u64 {
        self.0.id.load(Relaxed)
    }
    /// What to ask [`Opened::over_one_of`] with after an exchange that begins now.
    pub(super) fn now(&self) -> Before {
        let begun = self.0.begun.load(Relaxed);
        Before { begun, idle: begun == self.0.over.load(Relaxed) }
    }
    /// Whether an exchange went over a connection that had been opened before it: none was being opened when it began, and none
    /// since. (Another's opening during it counts against it, since it cannot be told which of the two it went over.)
    pub(super) fn over_one_of(&self, before: Before) -> bool {
        before.idle && 0 < before.begun && before.begun == self.0.begun.load(Relaxed)
    }
}

/// The connections of a client when an exchange began.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Before {
    begun: u32,
    idle: bool,
}

impl<S> tower_layer::Layer<S> for Opened {
    type Service = Counting<S>;
    fn layer(&self, inner: S) -> Counting<S> {
        Counting { inner, opened: self.clone() }
    }
}

/// A connector whose calls are counted.
#[derive(Debug, Clone)]
pub(super) struct Counting<S> {
    inner: S,
    opened: Opened,
}

impl<R, S> tower_service::Service<R> for Counting<S>
where
    S: tower_service::Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }
    fn call(&mut self, request: R) -> Self::Future {
        let counts = self.opened.0.clone();
        if 0 < counts.begun.fetch_add(1, Relaxed) {
            counts.id.store(next_id(), Relaxed);
        }
        let (opening, over) = (self.inner.call(request), Over(counts));
        Box::pin(async move {
            let _over = over;
            opening.await
        })
    }
}

/// Counts the end of an opening, also of one that was given up.
struct Over(Arc<Counts>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.over.fetch_add(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tower_layer::Layer;
    use tower_service::Service;

    #[derive(Clone)]
    struct Slow(tokio::sync::broadcast::Sender<()>);
    impl Service<()> for Slow {
        type Response = ();
        type Error = ();
        type Future = Pin<Box<dyn Future<Output = Result<(), ()>> + Send>>;
        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ()>> {
            Poll::Ready(Ok(()))
        }
        fn call(&mut self, (): ()) -> Self::Future {
            let mut done = self.0.subscribe();
            Box::pin(async move { done.recv().await.map_err(|_| ()) })
        }
    }

    #[tokio::test]
    async fn an_exchange_that_waits_for_anothers_opening_went_over_a_new_connection() {
        let opened = Opened::none();
        let (done, _) = tokio::sync::broadcast::channel(1);
        let mut connector = opened.layer(Slow(done.clone()));
        let first = opened.now();
        let opening = connector.call(());
        let id = opened.id();
        let waits = opened.now();
        done.send(()).unwrap();
        opening.await.unwrap();
        let after = opened.now();
        assert_eq!([first, waits, after].map(|before| opened.over_one_of(before)), [false, false, true]);
        // An opening that is given up is over too.
        drop(connector.call(()));
        assert_ne!(opened.id(), id);
        assert!(!opened.over_one_of(after) && opened.over_one_of(opened.now()));
    }
}
