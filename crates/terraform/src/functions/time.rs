//! Dates and times.
//!
//! `timestamp` and `plantimestamp` depend on the clock and stay unknown. Invariant: no clock is read.

use super::{Call, Function, Kind, Outcome, Stop, Takes, function};
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};
use overgrant_value::Val;

pub(super) const TABLE: &[Function] = &[
    function("timestamp", (0, 0), Kind::String, Takes::Known, |_, _| {
        Err(Stop::Open)
    }),
    function(
        "plantimestamp",
        (0, 0),
        Kind::String,
        Takes::Known,
        |_, _| Err(Stop::Open),
    ),
    function("formatdate", (2, 2), Kind::String, Takes::Known, formatdate),
    function("timeadd", (2, 2), Kind::String, Takes::Known, timeadd),
    function("timecmp", (2, 2), Kind::Number, Takes::Known, timecmp),
];

/// An RFC 3339 time with its own offset.
fn time(text: &str) -> Result<Zoned, Stop> {
    let bad = || Stop::from("the time is not RFC 3339, as in 2006-01-02T15:04:05Z");
    if text.len() < 20 || text.as_bytes().get(10) != Some(&b'T') {
        return Err(bad());
    }
    let stamp: Timestamp = text.parse().map_err(|_| bad())?;
    let local: DateTime = text
        .get(..19)
        .and_then(|text| text.parse().ok())
        .ok_or_else(bad)?;
    let utc = stamp.to_zoned(TimeZone::UTC).datetime();
    let seconds = local
        .with()
        .subsec_nanosecond(0)
        .build()
        .map_err(|_| bad())?
        .duration_since(utc.with().subsec_nanosecond(0).build().map_err(|_| bad())?)
        .as_secs();
    let offset = i32::try_from(seconds)
        .ok()
        .and_then(|seconds| Offset::from_seconds(seconds).ok())
        .ok_or_else(bad)?;
    Ok(stamp.to_zoned(TimeZone::fixed(offset)))
}

fn offset(time: &Zoned, colon: bool) -> String {
    let seconds = time.offset().seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    let (hours, minutes) = (minutes / 60, minutes % 60);
    let colon = if colon { ":" } else { "" };
    format!("{sign}{hours:02}{colon}{minutes:02}")
}

fn formatdate(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let [format, stamp] = args else {
        return Err("two arguments are needed".into());
    };
    let (format, stamp) = (call.string(format)?, call.string(stamp)?);
    let time = time(&stamp)?;
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\'' {
            loop {
                match chars.next() {
                    Some('\'') if chars.next_if_eq(&'\'').is_some() => out.push('\''),
                    Some('\'') => break,
                    Some(c) => out.push(c),
                    None => return Err("a quoted part of the format is never closed".into()),
                }
            }
            continue;
        }
        if !c.is_ascii_alphabetic() {
            out.push(c);
            continue;
        }
        let mut run = 1;
        while chars.next_if_eq(&c).is_some() {
            run += 1;
        }
        out.push_str(&part(&time, c, run)?);
    }
    Ok(call.known(&out))
}

fn part(time: &Zoned, letter: char, run: usize) -> Result<String, Stop> {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    const DAYS: [&str; 7] = [
        "Sunday",
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
    ];
    let name = |names: &[&str], at: i8| -> String {
        usize::try_from(at)
            .ok()
            .and_then(|at| names.get(at))
            .map_or_else(String::new, |name| (*name).to_owned())
    };
    let short = |text: String| text.chars().take(3).collect::<String>();
    let hour12 = match time.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let utc = time.offset().seconds() == 0;
    Ok(match (letter, run) {
        ('Y', 4) => format!("{:04}", time.year()),
        ('Y', 2) => format!("{:02}", time.year() % 100),
        ('M', 4) => name(&MONTHS, time.month() - 1),
        ('M', 3) => short(name(&MONTHS, time.month() - 1)),
        ('M', 2) => format!("{:02}", time.month()),
        ('M', 1) => time.month().to_string(),
        ('D', 2) => format!("{:02}", time.day()),
        ('D', 1) => time.day().to_string(),
        ('E', 4) => name(&DAYS, time.weekday().to_sunday_zero_offset()),
        ('E', 3) => short(name(&DAYS, time.weekday().to_sunday_zero_offset())),
        ('h', 2) => format!("{:02}", time.hour()),
        ('h', 1) => time.hour().to_string(),
        ('H', 2) => format!("{hour12:02}"),
        ('H', 1) => hour12.to_string(),
        ('A', 2) => if time.hour() < 12 { "AM" } else { "PM" }.to_owned(),
        ('a', 2) => if time.hour() < 12 { "am" } else { "pm" }.to_owned(),
        ('m', 2) => format!("{:02}", time.minute()),
        ('m', 1) => time.minute().to_string(),
        ('s', 2) => format!("{:02}", time.second()),
        ('s', 1) => time.second().to_string(),
        ('Z', 1) if utc => "Z".to_owned(),
        ('Z', 3) if utc => "UTC".to_owned(),
        ('Z', 5 | 1) => offset(time, run == 1),
        ('Z', 4 | 3) => offset(time, false),
        _ => return Err("a sequence of letters in the format has no meaning; quote it".into()),
    })
}

/// Go's durations: `1h30m`, `-10s`.
fn duration(text: &str) -> Result<SignedDuration, Stop> {
    let bad = || Stop::from("the duration is not valid, as in 1h30m");
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return Err(bad());
    }
    let mut nanos: f64 = 0.0;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(bad)?;
        let (number, after) = rest.split_at_checked(digits).ok_or_else(bad)?;
        let unit = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(unit).ok_or_else(bad)?;
        let scale = match unit {
            "h" => 3600e9,
            "m" => 60e9,
            "s" => 1e9,
            "ms" => 1e6,
            "us" | "µs" | "μs" => 1e3,
            "ns" => 1.0,
            _ => return Err(bad()),
        };
        nanos += number.parse::<f64>().map_err(|_| bad())? * scale;
        rest = after;
    }
    let duration = SignedDuration::try_from_secs_f64(nanos / 1e9).map_err(|_| bad())?;
    Ok(if negative { -duration } else { duration })
}

fn timeadd(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let [stamp, length] = args else {
        return Err("two arguments are needed".into());
    };
    let (stamp, length) = (call.string(stamp)?, call.string(length)?);
    let time = time(&stamp)?
        .checked_add(duration(&length)?)
        .map_err(|_| "the time is out of range")?;
    let zone = if time.offset().seconds() == 0 {
        "Z".to_owned()
    } else {
        offset(&time, true)
    };
    Ok(call.known(&format!("{}{zone}", time.strftime("%Y-%m-%dT%H:%M:%S"))))
}

fn timecmp(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let [a, b] = args else {
        return Err("two arguments are needed".into());
    };
    let (a, b) = (time(&call.string(a)?)?, time(&call.string(b)?)?);
    let order = match a.timestamp().cmp(&b.timestamp()) {
        std::cmp::Ordering::Less => -1,
        std::cmp::Ordering::Equal => 0,
        std::cmp::Ordering::Greater => 1,
    };
    Ok(Val::int(order, call.src()))
}
