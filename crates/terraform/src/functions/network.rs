//! CIDR arithmetic for both address families.
//!
//! Semantics of Terraform's `internal/lang/funcs/cidr.go`: host bits of the prefix are ignored, decimal
//! parts may have leading zeros. Invariant: numbers that do not fit the prefix are errors.

use super::{Call, Function, Kind, MANY, Outcome, Stop, Takes, function};
use ipnet::IpNet;
use overgrant_value::Val;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) const TABLE: &[Function] = &[
    function("cidrsubnet", (3, 3), Kind::String, Takes::Known, cidrsubnet),
    function(
        "cidrsubnets",
        (1, MANY),
        Kind::Strings,
        Takes::Known,
        cidrsubnets,
    ),
    function("cidrhost", (2, 2), Kind::String, Takes::Known, cidrhost),
    function(
        "cidrnetmask",
        (1, 1),
        Kind::String,
        Takes::Known,
        cidrnetmask,
    ),
    function(
        "cidrcontains",
        (2, 2),
        Kind::Bool,
        Takes::Known,
        cidrcontains,
    ),
];

/// Decimal parts without their leading zeros.
fn plain(text: &str) -> String {
    if text.contains(':') {
        return text.to_owned();
    }
    let parts: Vec<&str> = text
        .split('.')
        .map(|part| {
            let cut = part.trim_start_matches('0');
            if cut.is_empty() && !part.is_empty() {
                "0"
            } else {
                cut
            }
        })
        .collect();
    parts.join(".")
}

fn network(text: &str) -> Result<IpNet, Stop> {
    let bad = || Stop::from("the prefix is not valid, as in 10.0.0.0/8");
    let (address, length) = text.split_once('/').ok_or_else(bad)?;
    let net: IpNet = format!("{}/{length}", plain(address))
        .parse()
        .map_err(|_| bad())?;
    Ok(net.trunc())
}

/// Address as a number, and the number of bits of its family.
fn number(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)), 32),
        IpAddr::V6(v6) => (u128::from(v6), 128),
    }
}

fn address(number: u128, bits: u32) -> IpAddr {
    if bits == 32 {
        IpAddr::V4(Ipv4Addr::from(
            u32::try_from(number & 0xffff_ffff).unwrap_or(0),
        ))
    } else {
        IpAddr::V6(Ipv6Addr::from(number))
    }
}

fn power(bits: u32) -> u128 {
    1_u128.checked_shl(bits).unwrap_or(0)
}

fn subnet(net: IpNet, new_bits: i64, at: i128) -> Result<(u128, u32, u32), Stop> {
    let (base, bits) = number(net.network());
    let length = u32::from(net.prefix_len());
    let new_bits = u32::try_from(new_bits).map_err(|_| "the number of bits is negative")?;
    let longer = length + new_bits;
    if longer > bits {
        return Err("the prefix has not that many bits left".into());
    }
    let fits = if new_bits >= 127 {
        true
    } else {
        at < 1_i128 << new_bits
    };
    if at < 0 || !fits {
        return Err("the network number does not fit into the new bits".into());
    }
    let at = u128::try_from(at).unwrap_or(0);
    let shifted = at.checked_shl(bits - longer).unwrap_or(0);
    Ok((base | shifted, bits, longer))
}

fn cidrsubnet(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let [prefix, new_bits, at] = args else {
        return Err("three arguments are needed".into());
    };
    let net = network(&call.string(prefix)?)?;
    let (base, bits, length) = subnet(net, call.integer(new_bits)?, i128::from(call.integer(at)?))?;
    Ok(call.known(&format!("{}/{length}", address(base, bits))))
}

fn cidrsubnets(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let Some((prefix, new_bits)) = args.split_first() else {
        return Err("an argument is missing".into());
    };
    let net = network(&call.string(prefix)?)?;
    let (base, bits) = number(net.network());
    let length = u32::from(net.prefix_len());
    let end = base.checked_add(power(bits - length));
    let mut next = base;
    let mut full = false;
    let mut items = Vec::new();
    for more in new_bits {
        let more = u32::try_from(call.integer(more)?)
            .ok()
            .filter(|more| *more > 0);
        let more = more.ok_or("every subnet needs at least one more bit")?;
        let longer = length + more;
        if longer > bits {
            return Err("the prefix has not that many bits left".into());
        }
        let size = power(bits - longer);
        // The next multiple of the size.
        let start = match next.checked_add(size - 1) {
            Some(rounded) => rounded & !(size - 1),
            None => return Err("not enough room in the prefix".into()),
        };
        let room = !full && end.is_none_or(|end| start < end && end - start >= size);
        if !room {
            return Err("not enough room in the prefix".into());
        }
        items.push(format!("{}/{longer}", address(start, bits)));
        match start.checked_add(size) {
            Some(after) => next = after,
            None => full = true,
        }
    }
    Ok(call.string_list(items))
}

fn cidrhost(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let [prefix, at] = args else {
        return Err("two arguments are needed".into());
    };
    let net = network(&call.string(prefix)?)?;
    let at = i128::from(call.integer(at)?);
    let (base, bits) = number(net.network());
    let host_bits = bits - u32::from(net.prefix_len());
    let room = if host_bits >= 127 {
        i128::MAX
    } else {
        1_i128 << host_bits
    };
    let fits = if at < 0 { -at <= room } else { at < room };
    if !fits {
        return Err("the host number does not fit into the prefix".into());
    }
    let offset = if at < 0 {
        power(host_bits).wrapping_sub(at.unsigned_abs())
    } else {
        at.unsigned_abs()
    };
    Ok(call.known(&address(base.wrapping_add(offset), bits).to_string()))
}

fn cidrnetmask(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let net = network(&call.string(&super::collection::first(args)?)?)?;
    match net {
        IpNet::V4(net) => Ok(call.known(&net.netmask().to_string())),
        IpNet::V6(_) => Err("IPv6 prefixes have no netmask".into()),
    }
}

fn cidrcontains(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let [outer, inner] = args else {
        return Err("two arguments are needed".into());
    };
    let net = network(&call.string(outer)?)?;
    let inner = call.string(inner)?;
    let holds = if inner.contains('/') {
        net.contains(&network(&inner)?)
    } else {
        let address: IpAddr = plain(&inner)
            .parse()
            .map_err(|_| "the address is not valid")?;
        net.contains(&address)
    };
    Ok(call.yes_no(holds))
}
