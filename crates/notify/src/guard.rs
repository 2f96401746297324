//! Which addresses a notification may be sent to. A seller chooses the URL, so without a guard the
//! server would make requests inside the operator's own network on anybody's behalf.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Networks that the operator opens although they are not public.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Guard {
    allowed: Vec<Network>,
    /// Whether every address and plain HTTP are allowed: a laptop.
    open: bool,
}

/// Why an address is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forbidden {
    /// This network.
    Unspecified,
    /// This machine.
    Loopback,
    /// A private network.
    Private,
    /// The link's own addresses, the metadata services of clouds among them.
    LinkLocal,
    /// A carrier's shared network (CGNAT).
    Shared,
    /// Many receivers at once.
    Multicast,
    /// Set aside for protocols, documentation or benchmarks.
    Reserved,
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unspecified => "an unspecified address",
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::LinkLocal => "a link-local address",
            Self::Shared => "a shared (CGNAT) address",
            Self::Multicast => "a multicast or broadcast address",
            Self::Reserved => "a reserved address",
        })
    }
}

impl Guard {
    /// Only public addresses, and the networks that the operator named.
    #[must_use]
    pub const fn public_and(allowed: Vec<Network>) -> Self {
        Self { allowed, open: false }
    }

    /// Every address: for a laptop.
    #[must_use]
    pub const fn open() -> Self {
        Self {
            allowed: Vec::new(),
            open: true,
        }
    }

    /// What one or the other allows.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        self.allowed.extend(other.allowed);
        self.open |= other.open;
        self
    }

    /// Whether plain HTTP will do as well as HTTPS.
    #[must_use]
    pub const fn allows_plain_http(&self) -> bool {
        self.open
    }

    /// Whether a connection to `address` may be made.
    pub fn check(&self, address: IpAddr) -> Result<(), Forbidden> {
        let plain = unwrap_ipv4(address);
        if self.open || self.allowed.iter().any(|network| network.contains(plain)) {
            return Ok(());
        }
        match plain {
            IpAddr::V4(v4) => check_v4(v4),
            IpAddr::V6(v6) => check_v6(v6),
        }
    }
}

/// The IPv4 address inside an IPv6 one: mapped, compatible, NAT64, 6to4 or Teredo.
fn unwrap_ipv4(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match (a, b, c, d, e, f) {
        // ::ffff:a.b.c.d, ::ffff:0:a.b.c.d and 64:ff9b::a.b.c.d
        (0, 0, 0, 0, 0, 0xffff) | (0, 0, 0, 0, 0xffff, 0) | (0x64, 0xff9b, 0, 0, 0, 0) => v4(g, h),
        // ::a.b.c.d, but neither :: nor ::1
        (0, 0, 0, 0, 0, 0) if g != 0 || h > 1 => v4(g, h),
        // 6to4 has the address after its prefix, Teredo inverted at its end.
        (0x2002, ..) => v4(b, c),
        (0x2001, 0, ..) => v4(!g, !h),
        _ => address,
    }
}

fn check_v4(address: Ipv4Addr) -> Result<(), Forbidden> {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        (0, ..) => Err(Forbidden::Unspecified),
        (127, ..) => Err(Forbidden::Loopback),
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => Err(Forbidden::Private),
        (169, 254, _) => Err(Forbidden::LinkLocal),
        (100, 64..=127, _) => Err(Forbidden::Shared),
        (224..=239, ..) | (255, 255, 255) => Err(Forbidden::Multicast),
        (192, 0, 0 | 2)
        | (192, 88, 99)
        | (198, 18..=19, _)
        | (198, 51, 100)
        | (203, 0, 113)
        | (240..=255, ..) => Err(Forbidden::Reserved),
        _ => Ok(()),
    }
}

fn check_v6(address: Ipv6Addr) -> Result<(), Forbidden> {
    let [a, b, ..] = address.segments();
    if address.is_unspecified() {
        return Err(Forbidden::Unspecified);
    }
    if address.is_loopback() {
        return Err(Forbidden::Loopback);
    }
    match (a, b) {
        (0xfc00..=0xfdff, _) => Err(Forbidden::Private),
        // Site-local addresses are long out of use, but some networks still route them.
        (0xfe80..=0xfeff, _) => Err(Forbidden::LinkLocal),
        (0xff00..=0xffff, _) => Err(Forbidden::Multicast),
        // Local NAT64, discard, documentation, ORCHID, benchmarks, segment routing.
        (0x0064, 0xff9b)
        | (0x0100, 0)
        | (0x2001, 0x0002 | 0x0010..=0x003f | 0x0db8)
        | (0x3fff, 0..=0x0fff)
        | (0x5f00, _) => Err(Forbidden::Reserved),
        // Global unicast is 2000::/3; the rest is unassigned.
        (0x2000..=0x3fff, _) => Ok(()),
        _ => Err(Forbidden::Reserved),
    }
}

/// A network, written like `10.1.0.0/16` or `fd00::/8`; a single address without a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    length: u8,
}

/// A text that is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no network like 10.1.0.0/16 or fd00::/8")]
pub struct InvalidNetwork(String);

impl Network {
    /// Whether an address is one of it. An IPv4 address within IPv6 is none of an IPv4 network.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(self.length);
                u32::from(network).checked_shr(shift) == u32::from(address).checked_shr(shift)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(self.length);
                u128::from(network).checked_shr(shift) == u128::from(address).checked_shr(shift)
            }
            _ => false,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let invalid = || InvalidNetwork(text.to_owned());
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u8>().map_err(|_| invalid())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let length = length.unwrap_or(longest);
        if length > longest {
            return Err(invalid());
        }
        Ok(Self { address, length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_pass() {
        use Forbidden::{LinkLocal, Loopback, Multicast, Private, Reserved, Shared, Unspecified};
        let guard = Guard::public_and(Vec::new());
        for (address, expected) in [
            ("93.184.216.34", Ok(())),
            ("2606:2800:220:1::1", Ok(())),
            ("0.0.0.0", Err(Unspecified)),
            ("0.1.2.3", Err(Unspecified)),
            ("127.0.0.1", Err(Loopback)),
            ("127.255.255.254", Err(Loopback)),
            ("10.0.0.1", Err(Private)),
            ("172.15.255.255", Ok(())),
            ("172.16.0.1", Err(Private)),
            ("172.31.255.255", Err(Private)),
            ("172.32.0.0", Ok(())),
            ("192.168.1.1", Err(Private)),
            ("169.254.169.254", Err(LinkLocal)),
            ("100.63.255.255", Ok(())),
            ("100.64.0.1", Err(Shared)),
            ("100.127.255.255", Err(Shared)),
            ("224.0.0.1", Err(Multicast)),
            ("255.255.255.255", Err(Multicast)),
            ("240.0.0.1", Err(Reserved)),
            ("192.0.2.1", Err(Reserved)),
            ("198.18.0.1", Err(Reserved)),
            ("::", Err(Unspecified)),
            ("::1", Err(Loopback)),
            ("fe80::1", Err(LinkLocal)),
            ("fec0::1", Err(LinkLocal)),
            ("fd00:ec2::254", Err(Private)),
            ("ff02::1", Err(Multicast)),
            ("2001:db8::1", Err(Reserved)),
            ("4000::1", Err(Reserved)),
            // IPv4 inside IPv6.
            ("::ffff:127.0.0.1", Err(Loopback)),
            ("::ffff:0:10.0.0.1", Err(Private)),
            ("::169.254.169.254", Err(LinkLocal)),
            ("64:ff9b::169.254.169.254", Err(LinkLocal)),
            ("64:ff9b::93.184.216.34", Ok(())),
            ("64:ff9b:1::1", Err(Reserved)),
            ("2002:7f00:1::", Err(Loopback)),
            ("2002:a00:1::1", Err(Private)),
            ("2001:0:4136:e378:8000:63bf:3fff:fdd2", Err(Reserved)),
            ("2001:0:4136:e378:8000:63bf:80ff:fffe", Err(Loopback)),
        ] {
            assert_eq!(
                guard.check(address.parse().expect(address)),
                expected,
                "{address}"
            );
        }
    }

    #[test]
    fn the_operator_opens_single_networks() {
        let networks = ["10.1.0.0/16", "fd00:1::/32", "127.0.0.1"].map(|text| text.parse().expect(text));
        let guard = Guard::public_and(networks.to_vec());
        for (address, allowed) in [
            ("10.1.255.255", true),
            ("10.2.0.0", false),
            ("::ffff:10.1.0.1", true),
            ("fd00:1:2::3", true),
            ("fd00:2::3", false),
            ("127.0.0.1", true),
            ("127.0.0.2", false),
        ] {
            assert_eq!(
                guard.check(address.parse().expect(address)).is_ok(),
                allowed,
                "{address}"
            );
        }
        assert!(!guard.allows_plain_http());
        let wider = guard
            .clone()
            .or(Guard::public_and(vec!["10.2.0.0/16".parse().expect("a network")]));
        for (address, allowed) in [("10.1.0.1", true), ("10.2.0.1", true), ("10.3.0.1", false)] {
            assert_eq!(
                wider.check(address.parse().expect(address)).is_ok(),
                allowed,
                "{address}"
            );
        }
        assert!(guard.or(Guard::open()).allows_plain_http());
        for text in ["10.1.0.0/16", "fd00:1::/32", "127.0.0.1/32"] {
            let network: Network = text.parse().expect(text);
            assert_eq!(network.to_string(), text);
        }
        assert_eq!(Guard::open().check("10.0.0.1".parse().expect("address")), Ok(()));
        for broken in ["", "10.0.0.0/33", "fd00::/129", "10.0.0/8", "x/8", "10.0.0.0/"] {
            assert!(broken.parse::<Network>().is_err(), "{broken}");
        }
        let everything: Network = "0.0.0.0/0".parse().expect("a network");
        assert!(everything.contains("8.8.8.8".parse().expect("address")));
    }
}
