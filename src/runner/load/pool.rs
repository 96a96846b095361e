//! Connections of a cell: each user keeps their own; arrivals take the one that was used last, so that the fewest stay busy.

use super::super::Racer;
use super::super::lane::Setting;
use super::stopping;
use crate::record::Offered;
use crate::wire::Connection;
use futures_util::stream::{self, StreamExt};

type Open = Box<dyn Connection>;

/// Connections that nobody uses at the moment.
pub(super) struct Pool {
    by_user: Vec<Option<Open>>,
    idle: Vec<Open>,
    /// How many were opened before the cell began.
    pub opened: u32,
}

/// How many connections are opened at once: enough to hide a distance, few enough for a server's queue of new connections.
const AT_ONCE: usize = 64;
/// So many failures, and more than successes: the target is not there, and its requests shall say so.
const GIVE_UP: usize = 3;

impl Pool {
    /// Opens the connections of a cell, TLS included: one for each user, or those of one second of arrivals. What cannot be opened is
    /// opened by the request that needs it, whose record then tells why.
    pub(super) async fn open(racer: &Racer, setting: &Setting, offered: &Offered, most: Option<u32>) -> Pool {
        let wanted = match offered {
            Offered::Users { users } => *users,
            Offered::Arrivals { per_s, .. } => (per_s.ceil() as u32).clamp(1, most.unwrap_or(u32::MAX)),
        };
        let mut opened = tokio::select! {
            opened = open(racer, wanted as usize) => opened,
            () = stopping(&setting.stop) => Vec::new(),
        };
        let count = opened.len() as u32;
        match offered {
            Offered::Users { users } => {
                let mut by_user: Vec<Option<Open>> = opened.into_iter().map(Some).collect();
                by_user.resize_with(*users as usize, || None);
                Pool { by_user, idle: Vec::new(), opened: count }
            }
            Offered::Arrivals { .. } => {
                opened.reverse();
                Pool { by_user: Vec::new(), idle: opened, opened: count }
            }
        }
    }

    /// No connection: each request opens its own.
    pub(super) fn none(offered: &Offered) -> Pool {
        let mut by_user = Vec::new();
        if let Offered::Users { users } = offered {
            by_user.resize_with(*users as usize, || None);
        }
        Pool { by_user, idle: Vec::new(), opened: 0 }
    }

    /// The connection of a user (from 1), or the one that was put back last.
    pub(super) fn take(&mut self, user: Option<u32>) -> Option<Open> {
        match user {
            Some(user) => self.by_user.get_mut(user as usize - 1)?.take(),
            None => self.idle.pop(),
        }
    }

    /// Puts a connection back that can serve another request.
    pub(super) fn put(&mut self, user: Option<u32>, connection: Option<Open>) {
        let Some(connection) = connection else { return };
        match user.map(|user| user as usize - 1) {
            Some(place) => {
                if let Some(own) = self.by_user.get_mut(place) {
                    *own = Some(connection);
                }
            }
            None => self.idle.push(connection),
        }
    }
}

async fn open(racer: &Racer, wanted: usize) -> Vec<Open> {
    let connecting = (0..wanted).map(|_| racer.transport.connect(&racer.endpoint));
    let mut connecting = stream::iter(connecting).buffer_unordered(AT_ONCE);
    let (mut opened, mut failed) = (Vec::with_capacity(wanted), 0);
    while let Some(connected) = connecting.next().await {
        match connected {
            Ok(connection) => opened.push(connection),
            Err(_) => failed += 1,
        }
        if GIVE_UP <= failed && opened.len() < failed {
            break;
        }
    }
    opened
}
