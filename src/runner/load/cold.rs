//! `--cold`: a connection serves one exchange and is gone.

use crate::timeline::Ended;
use crate::wire::{ConnectFailure, Connection, Endpoint, ExchangeFacts, Transport, Watch, WireRequest};
use async_trait::async_trait;
use std::sync::Arc;

/// Opens connections that serve once.
pub(super) struct Cold(pub Arc<dyn Transport>);

#[async_trait]
impl Transport for Cold {
    async fn connect(&self, endpoint: &Endpoint) -> Result<Box<dyn Connection>, ConnectFailure> {
        Ok(Box::new(Once(self.0.connect_alone(endpoint).await?)))
    }
}

/// Nobody waits whether the server closes it first, since nothing follows.
struct Once(Box<dyn Connection>);

#[async_trait]
impl Connection for Once {
    async fn exchange(&mut self, request: &WireRequest, watch: &mut dyn Watch) -> Ended {
        self.0.exchange(request, watch).await
    }
    fn facts(&self) -> ExchangeFacts {
        self.0.facts()
    }
    fn reusable(&self) -> bool {
        false
    }
}
