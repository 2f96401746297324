//! Tries to sign in that failed: an address that brings too many waits.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Failures of an address within [`WINDOW`] after which it has to wait.
const MOST: u32 = 20;
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses that are remembered; beyond that all are forgotten, which is better than memory without bounds.
const ADDRESSES: usize = 10_000;

/// Failures by address.
#[derive(Default)]
pub struct Tries(Mutex<HashMap<IpAddr, (Instant, u32)>>);

impl Tries {
    /// Whether an address may try.
    pub(super) fn may(&self, address: Option<IpAddr>, now: Instant) -> bool {
        let all = self.0.lock();
        let failed = address.and_then(|address| all.get(&network(address)));
        failed.is_none_or(|(since, count)| *count < MOST || now.saturating_duration_since(*since) >= WINDOW)
    }

    /// A try failed.
    pub(super) fn failed(&self, address: Option<IpAddr>, now: Instant) {
        let Some(address) = address.map(network) else {
            return;
        };
        let mut all = self.0.lock();
        if all.len() >= ADDRESSES {
            all.retain(|_, (since, _)| now.saturating_duration_since(*since) < WINDOW);
            if all.len() >= ADDRESSES {
                all.clear();
            }
        }
        let (since, count) = all.entry(address).or_insert((now, 0));
        if now.saturating_duration_since(*since) >= WINDOW {
            (*since, *count) = (now, 0);
        }
        *count += 1;
    }
}

/// Who has one address of IPv6 has 2^64 of them.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.into(),
            None => IpAddr::from((u128::from(v6) >> 64 << 64).to_be_bytes()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_waits_after_too_many_failures_and_others_do_not() {
        let (tries, now) = (Tries::default(), Instant::now());
        let address = |text: &str| Some(text.parse::<IpAddr>().expect("an address"));
        for _ in 0..MOST {
            assert!(tries.may(address("2001:db8::1"), now));
            tries.failed(address("2001:db8::1"), now);
        }
        assert!(!tries.may(address("2001:db8::1"), now));
        assert!(!tries.may(address("2001:db8::ffff:2"), now), "the same network");
        assert!(tries.may(address("2001:db8:0:1::1"), now));
        assert!(tries.may(None, now));
        assert!(tries.may(address("2001:db8::1"), now + WINDOW));
        tries.failed(address("2001:db8::1"), now + WINDOW);
        assert!(tries.may(address("2001:db8::1"), now + WINDOW), "counted anew");
    }
}
