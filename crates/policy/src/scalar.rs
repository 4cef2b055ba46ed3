//! Reading what condition values hold: numbers, dates, addresses, bytes.
//!
//! Not for comparing patterns. Invariant: text that is not of the type gives `None`, never a
//! default. Source: AWS, "IAM JSON policy elements: Condition operators".

use overgrant_value::Num;
use std::net::IpAddr;

/// A decimal number.
pub(crate) fn number(text: &str) -> Option<Num> {
    Num::parse(text.trim())
}

/// A moment in nanoseconds since 1970: the W3C profile of ISO 8601, or seconds since 1970.
pub(crate) fn date(text: &str) -> Option<i128> {
    const SECOND: i128 = 1_000_000_000;
    let text = text.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_year = digits.len() == 4 && text.len() == 4;
    if !is_year && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse::<i64>().ok().map(|s| i128::from(s) * SECOND);
    }
    let (day, time) = match text.split_once(['T', 't', ' ']) {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    let mut parts = day.split('-');
    let number = |part: Option<&str>, width: usize| match part {
        Some(part) if part.len() == width && part.bytes().all(|b| b.is_ascii_digit()) => {
            part.parse::<i64>().ok()
        }
        _ => None,
    };
    let year = number(parts.next(), 4)?;
    let month = match parts.next() {
        Some(part) => number(Some(part), 2)?,
        None => 1,
    };
    let day = match parts.next() {
        Some(part) => number(Some(part), 2)?,
        None => 1,
    };
    if parts.next().is_some() || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let mut nanos = i128::from(days_since_1970(year, month, day)) * 86_400 * SECOND;
    if let Some(time) = time {
        nanos += clock(time)?;
    }
    Some(nanos)
}

/// Days of the Gregorian calendar, counted from 1 March so that the leap day is last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// `hh:mm[:ss[.fraction]][Z|+hh:mm]` in nanoseconds, the offset taken off.
fn clock(text: &str) -> Option<i128> {
    const SECOND: i128 = 1_000_000_000;
    let (time, offset) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => (text.get(..at)?, text.get(at..)?),
        None => (text, "Z"),
    };
    let two = |part: &str, most: i128| {
        (part.len() == 2)
            .then(|| part.parse::<u8>().ok())
            .flatten()
            .map(i128::from)
            .filter(|n| *n <= most)
    };
    let mut parts = time.split(':');
    let hours = two(parts.next()?, 24)?;
    let minutes = two(parts.next()?, 59)?;
    let mut nanos = (hours * 60 + minutes) * 60 * SECOND;
    if let Some(seconds) = parts.next() {
        let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
        nanos += two(whole, 60)? * SECOND;
        if !fraction.is_empty() {
            let mut unit = SECOND;
            for digit in fraction.chars() {
                unit /= 10;
                nanos += i128::from(digit.to_digit(10)?) * unit;
            }
        }
    }
    if parts.next().is_some() {
        return None;
    }
    let sign = match offset.chars().next()? {
        '+' => -1,
        '-' => 1,
        _ => return (offset.len() == 1).then_some(nanos),
    };
    let offset = offset.get(1..)?;
    let (hours, minutes) = match offset.split_once(':') {
        Some(pair) => pair,
        None => offset.split_at_checked(2)?,
    };
    Some(nanos + sign * (two(hours, 23)? * 60 + two(minutes, 59)?) * 60 * SECOND)
}

/// A block of addresses of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) six: bool,
    pub(crate) first: u128,
    pub(crate) last: u128,
}

impl Block {
    pub(crate) fn contains(self, six: bool, address: u128) -> bool {
        self.six == six && (self.first..=self.last).contains(&address)
    }
}

/// An address: whether it is IPv6, and its bits.
pub(crate) fn address(text: &str) -> Option<(bool, u128)> {
    match text.trim().parse::<IpAddr>().ok()? {
        IpAddr::V4(four) => Some((false, u32::from(four).into())),
        IpAddr::V6(six) => Some((true, six.into())),
    }
}

/// An address or CIDR block; host bits are ignored.
pub(crate) fn block(text: &str) -> Option<Block> {
    let text = text.trim();
    let (base, bits) = match text.split_once('/') {
        Some((base, bits)) => (base, Some(bits.parse::<u32>().ok()?)),
        None => (text, None),
    };
    let (six, base) = address(base)?;
    let width = if six { 128 } else { 32 };
    let bits = bits.unwrap_or(width);
    if bits > width {
        return None;
    }
    let hosts = match width - bits {
        128 => u128::MAX,
        free => (1_u128 << free) - 1,
    };
    Some(Block {
        six,
        first: base & !hosts,
        last: base | hosts,
    })
}

/// The bytes of base64 text; padding is needed as the standard says.
pub(crate) fn bytes(text: &str) -> Option<Vec<u8>> {
    let body = text.trim_end_matches('=');
    if !text.len().is_multiple_of(4) || text.len() - body.len() > 2 {
        return None;
    }
    let mut out = Vec::with_capacity(body.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in body.bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(out)
}

/// `true` or `false` in any letter case.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_every_form() {
        let second = 1_000_000_000;
        for (text, wanted) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-02", Some(86_400)),
            ("2000-03-01T00:00:00Z", Some(951_868_800)),
            ("2026", Some(1_767_225_600)),
            ("2026-01", Some(1_767_225_600)),
            ("1767225600", Some(1_767_225_600)),
            ("2026-01-01T01:00:00+01:00", Some(1_767_225_600)),
            ("2026-01-01T01:00:00+0100", Some(1_767_225_600)),
            ("2025-12-31T23:00:00-01:00", Some(1_767_225_600)),
            ("2026-13-01", None),
            ("tomorrow", None),
            ("2026-01-01T25:00:00Z", None),
            ("", None),
        ] {
            assert_eq!(date(text), wanted.map(|s: i128| s * second), "{text}");
        }
        assert_eq!(date("1970-01-01T00:00:00.5Z"), Some(second / 2));
    }

    #[test]
    fn blocks_ignore_host_bits() {
        let ten = block("10.1.2.3/8").unwrap();
        assert!(ten.contains(false, address("10.255.0.1").unwrap().1));
        assert!(!ten.contains(true, address("::a01:203").unwrap().1));
        assert_eq!(block("::/0").unwrap().last, u128::MAX);
        assert_eq!(block("10.0.0.0/33"), None);
        assert_eq!(block("host"), None);
    }

    #[test]
    fn base64_is_decoded() {
        assert_eq!(bytes("QmluYXJ5").unwrap(), b"Binary");
        assert_eq!(bytes("QQ==").unwrap(), b"A");
        assert_eq!(bytes("QQ="), None);
        assert_eq!(bytes("Q*=="), None);
    }
}
