//! Whether this machine can hold so many connections: told before the first request, with the command that raises the limit.

use super::super::say;
use super::fault;
use crate::record::{LoadDesign, Offered};

/// Descriptors that are open beside the connections: the record, the runtime, the terminal.
const BESIDE: u64 = 64;

/// Checks the heaviest stage against descriptors and local ports. The soft limit of descriptors is raised up to the hard one.
pub(super) fn fits(design: &LoadDesign) -> anyhow::Result<()> {
    let connections = design.stages.iter().map(|stage| at_once(stage, design)).max().unwrap_or(0);
    descriptors(connections + BESIDE)?;
    match ports() {
        Some(ports) if ports < connections => Err(fault(
            "--stages",
            format!(
                "{connections} connections at once need as many local ports, and this machine gives out {ports}; \
                 widen them: sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\", or take lighter stages"
            ),
        )),
        Some(ports) if design.cold && ports < requests(design) => {
            say(&format!(
                "warning: --cold opens {} connections in a stage, and this machine gives out {ports} local ports, each of which rests for a \
                 minute after use; where they run out, requests fail here and not at the server",
                requests(design)
            ));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Requests of the heaviest stage, where that is known.
fn requests(design: &LoadDesign) -> u64 {
    design.stages.iter().filter_map(|stage| design.until.requests(stage)).max().unwrap_or(0)
}

/// Connections that a stage may hold open at once.
fn at_once(stage: &Offered, design: &LoadDesign) -> u64 {
    match stage {
        Offered::Users { users } => u64::from(*users),
        Offered::Arrivals { .. } => u64::from(design.max_in_flight.unwrap_or(0)),
    }
}

#[cfg(unix)]
fn descriptors(needed: u64) -> anyhow::Result<()> {
    // Where the system does not tell, the first connection that fails will.
    let Ok(allowed) = rlimit::increase_nofile_limit(needed) else { return Ok(()) };
    if needed <= allowed {
        return Ok(());
    }
    Err(fault(
        "--stages",
        format!(
            "the heaviest stage needs {needed} file descriptors, and this process may open {allowed}; raise the limit \
             (ulimit -n {needed}; under systemd LimitNOFILE={needed}), or take lighter stages"
        ),
    ))
}

#[cfg(not(unix))]
fn descriptors(_: u64) -> anyhow::Result<()> {
    Ok(())
}

/// Local ports that connections to one server can have; none where the system does not tell.
fn ports() -> Option<u64> {
    range(&std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?)
}

fn range(text: &str) -> Option<u64> {
    let mut ends = text.split_whitespace().map(str::parse::<u64>);
    let (low, high) = (ends.next()?.ok()?, ends.next()?.ok()?);
    Some((high + 1).saturating_sub(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_of_ports_is_read() {
        assert_eq!(range("32768\t60999\n"), Some(28_232));
        assert_eq!(range("nonsense"), None);
    }
}
