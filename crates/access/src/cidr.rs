//! Address blocks in conditions.
//!
//! Not for whether a request comes from one. Invariant: text that is no address or block gives
//! `None`. Source: RFC 1918, 4193, 6598 and the IAM user guide on `IpAddress`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A parsed block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    address: IpAddr,
    prefix: u8,
}

/// Who can call from a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// So much of the public internet that it limits nobody.
    Everybody,
    /// Addresses that never reach a public endpoint.
    Private,
    /// Some public addresses.
    Some,
}

impl Block {
    /// Reads `address` or `address/prefix`.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().ok()?)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().ok()?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(longest);
        (prefix <= longest).then_some(Self { address, prefix })
    }

    /// Who can call from it.
    pub fn reach(self) -> Reach {
        /// Blocks this large hold more than any organisation's own addresses.
        const WIDE_V4: u8 = 8;
        const WIDE_V6: u8 = 16;
        if self.is_private() {
            return Reach::Private;
        }
        let wide = match self.address {
            IpAddr::V4(_) => self.prefix <= WIDE_V4,
            IpAddr::V6(_) => self.prefix <= WIDE_V6,
        };
        if wide { Reach::Everybody } else { Reach::Some }
    }

    /// Whether the whole block is private, shared or local.
    fn is_private(self) -> bool {
        match self.address {
            IpAddr::V4(address) => [
                (Ipv4Addr::new(10, 0, 0, 0), 8),
                (Ipv4Addr::new(172, 16, 0, 0), 12),
                (Ipv4Addr::new(192, 168, 0, 0), 16),
                (Ipv4Addr::new(100, 64, 0, 0), 10),
                (Ipv4Addr::new(169, 254, 0, 0), 16),
                (Ipv4Addr::new(127, 0, 0, 0), 8),
            ]
            .into_iter()
            .any(|(base, prefix)| {
                let mask = u32::MAX << (32 - u32::from(prefix));
                self.prefix >= prefix && address.to_bits() & mask == base.to_bits() & mask
            }),
            IpAddr::V6(address) => {
                let local = address == Ipv6Addr::LOCALHOST;
                let first = address.segments().first().copied().unwrap_or_default();
                local || (self.prefix >= 7 && first & 0xfe00 == 0xfc00)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reach_of_blocks() {
        let reach = |text: &str| Block::parse(text).map(Block::reach);
        assert_eq!(reach("0.0.0.0/0"), Some(Reach::Everybody));
        assert_eq!(reach("128.0.0.0/1"), Some(Reach::Everybody));
        assert_eq!(reach("::/0"), Some(Reach::Everybody));
        assert_eq!(reach("10.0.0.0/8"), Some(Reach::Private));
        assert_eq!(reach("172.32.0.0/12"), Some(Reach::Some));
        assert_eq!(reach("203.0.113.7"), Some(Reach::Some));
        assert_eq!(reach("fd00::/8"), Some(Reach::Private));
        assert_eq!(reach("203.0.113.0/33"), None);
        assert_eq!(reach("home"), None);
    }
}
