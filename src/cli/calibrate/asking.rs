//! One request of a calibration, made and read as a run makes and reads it.

use super::super::simulator::{Ready, System};
use crate::clock::Clock;
use crate::exchange::{connect_failed, exchange};
use crate::plan::TargetEntry;
use crate::provider::{Call, Catalog, Provider};
use crate::record::{Answer, CalibrationLoad, Limits, TargetFacts, TransportKind};
use crate::timeline::Ended;
use crate::wire::{Connection, Endpoint, ReqwestTransport, Roots, Transport};
use anyhow::Context;
use std::sync::Arc;

/// Far beyond what the simulator takes, so that nothing is cut off, and a simulator that hangs still lets the command end.
const LIMITS: Limits =
    Limits { connect_ms: 60_000, first_token_ms: 60_000, idle_ms: 30_000, total_ms: 120_000, largest_line: 1 << 20, largest_body: 1 << 24 };

/// A request that was made.
#[derive(Debug)]
pub(super) struct Made {
    /// Its id, as sent.
    pub id: String,
    /// What came of it.
    pub answer: Answer,
    /// Its times count.
    pub timed: bool,
}

/// The clients that read streams.
pub(super) struct Clients {
    kernel: Option<Arc<dyn Transport>>,
    reqwest: Arc<dyn Transport>,
}

impl Clients {
    pub(super) fn new() -> Clients {
        let roots = Roots::system();
        Clients { kernel: kernel(&roots), reqwest: Arc::new(ReqwestTransport::new(roots)) }
    }
}

#[cfg(all(unix, not(photofinish_portable)))]
fn kernel(roots: &Roots) -> Option<Arc<dyn Transport>> {
    Some(Arc::new(crate::wire::KernelTransport::new(roots.clone())))
}

#[cfg(not(all(unix, not(photofinish_portable))))]
fn kernel(_: &Roots) -> Option<Arc<dyn Transport>> {
    None
}

/// Asks one simulated system through one client.
pub(super) struct Asker {
    facts: TargetFacts,
    provider: Arc<dyn Provider>,
    transport: Arc<dyn Transport>,
    endpoint: Endpoint,
    /// Each connection is opened for itself, also where HTTP/2 could share one.
    alone: bool,
}

impl Asker {
    pub(super) fn new(
        ready: &Ready,
        system: &System,
        load: CalibrationLoad,
        catalog: &Catalog,
        clients: &Clients,
    ) -> anyhow::Result<Asker> {
        let base = if load.tls { ready.tls_base.as_ref().context("the simulator serves no TLS")? } else { &ready.base };
        let facts = catalog.target(&TargetEntry {
            target: format!("{base}/{}={}", system.name, system.model),
            name: Some(system.name.clone()),
            provider: Some(system.provider.clone()),
            transport: Some(load.transport),
            http2: Some(load.http2),
            ca_file: ready.ca_file.clone().filter(|_| load.tls),
            simulated: true,
            ..TargetEntry::default()
        })?;
        let transport = match load.transport {
            TransportKind::Kernel => clients.kernel.clone().context("the kernel's stamps need Unix")?,
            TransportKind::Reqwest => clients.reqwest.clone(),
        };
        Ok(Asker {
            provider: catalog.provider(&facts)?,
            endpoint: catalog.endpoint(&facts, LIMITS.connect_ms),
            transport,
            facts,
            alone: false,
        })
    }

    /// The same over connections that no other request shares: a fault that cuts one then ends none but its own.
    pub(super) fn alone(self) -> Asker {
        Asker { alone: true, ..self }
    }

    /// Makes one request over an open connection, or a new one; gives the connection back where it can serve another.
    pub(super) async fn ask(
        &self,
        open: Option<Box<dyn Connection>>,
        id: &str,
        max_tokens: Option<u64>,
    ) -> (Answer, Option<Box<dyn Connection>>) {
        let mut connection = match open {
            Some(open) => open,
            None => {
                let connected = match self.alone {
                    true => self.transport.connect_alone(&self.endpoint).await,
                    false => self.transport.connect(&self.endpoint).await,
                };
                match connected {
                    Ok(opened) => opened,
                    Err(failure) => return (connect_failed(failure), None),
                }
            }
        };
        let call =
            Call { target: &self.facts, prompt: "Calibrate.", max_tokens, key: None, request_id: id, wall_now: Clock::System.wall() };
        let request = match self.provider.request(&call) {
            Ok(request) => request,
            Err(error) => return (Answer::empty(Ended::SendFailed { message: error.to_string() }), None),
        };
        let decoder = self.provider.decoder(&self.facts);
        let answer = exchange(connection.as_mut(), &request, decoder, &LIMITS, &Clock::System).await;
        let kept = connection.reusable();
        (answer, kept.then_some(connection))
    }
}
