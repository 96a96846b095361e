//! Whether these targets may be loaded so: by their owners, and by the pace that the plan sets them.

use super::fault;
use crate::record::{LoadDesign, Offered, TargetFacts};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Targets outside this machine and its private network need the user's word.
pub(super) fn by_owner(targets: &[TargetFacts], has_word: bool) -> anyhow::Result<()> {
    match targets.iter().find(|target| !is_near(&target.base_url)).filter(|_| !has_word) {
        None => Ok(()),
        Some(target) => Err(fault(
            "--target",
            format!(
                "{}: {} is neither this machine nor an address of a private network. A load test is what an attack looks like from the \
                 other side: where its owner agrees, say so by --i-may-load-this; to compare providers take `photofinish run`",
                target.id, target.base_url
            ),
        )),
    }
}

/// A stage of more users than a target's pace lets ask at once would measure the pace.
pub(super) fn by_pace(targets: &[TargetFacts], design: &LoadDesign) -> anyhow::Result<()> {
    let most = design.stages.iter().filter_map(|stage| match stage {
        Offered::Users { users } => Some(*users),
        Offered::Arrivals { .. } => None,
    });
    let most = most.max().unwrap_or(0);
    for target in targets {
        if let Some(allowed) = target.pace.concurrency.filter(|allowed| *allowed < most) {
            return Err(fault(
                "--stages",
                format!(
                    "{}: its pace allows {allowed} requests at once, and a stage has {most} users; raise `pace: {{concurrency: …}}` or leave \
                     out the stages above {allowed}",
                    target.id
                ),
            ));
        }
    }
    Ok(())
}

/// Whether a URL names this machine, or an address that no public network routes. A name is near only if it is `localhost`: what others
/// resolve to may change between the question and the load.
fn is_near(url: &str) -> bool {
    let url = url::Url::parse(url).ok();
    match url.as_ref().and_then(url::Url::host) {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => near_v4(address),
        Some(url::Host::Ipv6(address)) => near_v6(address),
        None => false,
    }
}

fn near_v4(address: Ipv4Addr) -> bool {
    address.is_loopback() || address.is_private() || address.is_link_local()
}

fn near_v6(address: Ipv6Addr) -> bool {
    let mapped = address.to_ipv4_mapped().is_some_and(near_v4);
    address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local() || mapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_and_private_addresses_are_near() {
        for near in [
            "http://127.0.0.1:8000/v1",
            "http://localhost:1/v1",
            "http://10.1.2.3/v1",
            "http://172.31.0.1/v1",
            "http://192.168.0.7:8000/v1",
            "http://[::1]:80/v1",
            "http://[fd00::7]/v1",
            "http://[fe80::1]/v1",
            "http://[::ffff:10.0.0.1]/v1",
        ] {
            assert!(is_near(near), "{near}");
        }
        for far in [
            "https://api.deepseek.com/v1",
            "http://172.32.0.1/v1",
            "http://8.8.8.8/v1",
            "http://[2001:db8::1]/v1",
            "http://localhost.example.com/v1",
            "http://[::ffff:8.8.8.8]/v1",
            "not a url",
        ] {
            assert!(!is_near(far), "{far}");
        }
    }
}
