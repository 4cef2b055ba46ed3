//! `format` and `formatlist`: Go's verbs over ropes.
//!
//! Semantics of go-cty's `stdlib/format.go`. Invariant: `%s` and `%v` of a text with holes keep them.

use super::{Call, Function, Kind, MANY, Outcome, Stop, Takes, function};
use crate::eval::types::convert;
use crate::eval::{ops, text};
use overgrant_value::{Data, Num, SeqKind, Text, Ty, Val};
use unicode_segmentation::UnicodeSegmentation;

pub(super) const TABLE: &[Function] = &[
    function("format", (1, MANY), Kind::String, Takes::All, format),
    function(
        "formatlist",
        (1, MANY),
        Kind::Strings,
        Takes::All,
        formatlist,
    ),
];

#[derive(Debug, Default, Clone)]
struct Verb {
    sharp: bool,
    plus: bool,
    minus: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
    argument: Option<usize>,
    letter: char,
}

/// Reads one verb behind a `%`; gives it and the rest.
fn verb(text: &str) -> Result<(Verb, &str), Stop> {
    let mut verb = Verb::default();
    let mut rest = text;
    let bad = || Stop::from("a verb of the format is not valid");
    loop {
        let Some(c) = rest.chars().next() else {
            return Err("the format ends inside a verb".into());
        };
        match c {
            '#' => verb.sharp = true,
            '+' => verb.plus = true,
            '-' => verb.minus = true,
            ' ' => verb.space = true,
            '0' => verb.zero = true,
            _ => break,
        }
        rest = rest.get(1..).unwrap_or("");
    }
    let number = |rest: &mut &str| -> Option<usize> {
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (digits, after) = rest.split_at_checked(end)?;
        *rest = after;
        digits.parse().ok().filter(|n| *n <= 100_000)
    };
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        verb.width = Some(number(&mut rest).ok_or_else(bad)?);
    }
    if let Some(after) = rest.strip_prefix('.') {
        rest = after;
        verb.precision = Some(if rest.starts_with(|c: char| c.is_ascii_digit()) {
            number(&mut rest).ok_or_else(bad)?
        } else {
            0
        });
    }
    if let Some(after) = rest.strip_prefix('[') {
        rest = after;
        let at = number(&mut rest).ok_or_else(bad)?;
        if at == 0 {
            return Err("arguments of a format count from 1".into());
        }
        verb.argument = Some(at);
        rest = rest.strip_prefix(']').ok_or_else(bad)?;
    }
    verb.letter = rest.chars().next().ok_or_else(bad)?;
    rest = rest.get(verb.letter.len_utf8()..).unwrap_or("");
    Ok((verb, rest))
}

fn run(call: &Call<'_, '_>, format: &Text, args: &[Val]) -> Outcome {
    let known = text::known(format).ok_or(Stop::Open)?;
    let mut result = Text::empty();
    let mut rest = known.as_str();
    let mut next = 0;
    let mut most = 0;
    let mut explicit = false;
    let mut null = false;
    while !rest.is_empty() {
        let at = known.len() - rest.len();
        let plain = rest.find('%').unwrap_or(rest.len());
        result.append(&format.slice(at..at + plain).ok_or(Stop::Open)?);
        rest = rest.get(plain..).unwrap_or("");
        let Some(after) = rest.strip_prefix('%') else {
            break;
        };
        let (verb, after) = verb(after)?;
        rest = after;
        if verb.letter == '%' {
            result.append(&Text::known("%"));
            continue;
        }
        let position = match verb.argument {
            Some(at) => {
                explicit = true;
                at
            }
            None => next + 1,
        };
        next = position;
        most = most.max(position);
        let Some(arg) = args.get(position - 1) else {
            return Err("the format has more verbs than there are arguments".into());
        };
        if arg.is_null() && verb.letter != 'v' {
            null = true;
            continue;
        }
        result.append(&one(call, &verb, arg)?);
    }
    if !explicit && most < args.len() {
        return Err("there are more arguments than verbs in the format".into());
    }
    if null {
        return Err("an argument of the format is null".into());
    }
    if !call.evaluator.spend_bytes(&result) {
        return Err("the texts of this root grow too large".into());
    }
    Ok(Val::text(result, call.src()))
}

fn pad(text: Text, verb: &Verb) -> Result<Text, Stop> {
    let Some(width) = verb.width else {
        return Ok(text);
    };
    let known = text::known(&text).ok_or(Stop::Open)?;
    let length = known.graphemes(true).count();
    if length >= width {
        return Ok(text);
    }
    let fill = Text::known(&" ".repeat(width - length));
    Ok(if verb.minus {
        text.concat(&fill)
    } else {
        fill.concat(&text)
    })
}

fn one(call: &Call<'_, '_>, verb: &Verb, arg: &Val) -> Result<Text, Stop> {
    match verb.letter {
        's' => {
            let mut text = call.text(arg)?;
            if let Some(precision) = verb.precision {
                let known = text::known(&text).ok_or(Stop::Open)?;
                let end = known
                    .grapheme_indices(true)
                    .nth(precision)
                    .map_or(known.len(), |(at, _)| at);
                text = text.slice(0..end).ok_or(Stop::Open)?;
            }
            pad(text, verb)
        }
        'q' => {
            let known = call.string(arg)?;
            let mut out = String::new();
            text::string(&known, &mut out);
            pad(Text::derived(&out, call.span), verb)
        }
        'v' => {
            if !verb.sharp {
                match arg.data() {
                    Data::Str(_) | Data::Unknown(_) => return pad(call.text(arg)?, verb),
                    Data::Num(_) => {
                        let letter = Verb {
                            letter: 'g',
                            ..verb.clone()
                        };
                        return one(call, &letter, arg);
                    }
                    Data::Bool(_) => return pad(call.text(arg)?, verb),
                    _ => {}
                }
            }
            let mut out = String::new();
            match text::write(arg, &mut out) {
                Some(()) => pad(Text::derived(&out, call.span), verb),
                None if arg.is_unknown() => Err(Stop::Open),
                None => Ok(Text::json(arg.clone())),
            }
        }
        't' => {
            let value = call.truth(arg)?;
            pad(
                Text::derived(if value { "true" } else { "false" }, call.span),
                verb,
            )
        }
        'd' | 'b' | 'o' | 'x' | 'X' => {
            if verb.letter.eq_ignore_ascii_case(&'x')
                && matches!(arg.data(), Data::Str(_))
                && convert(arg, &Ty::Number).is_err()
            {
                return Err("the argument must be a number".into());
            }
            let num = call.number(arg)?;
            let Some(n) = whole(num) else {
                return Err("a whole number is needed".into());
            };
            let digits = match verb.letter {
                'd' => n.unsigned_abs().to_string(),
                'b' => format!("{:b}", n.unsigned_abs()),
                'o' => format!("{:o}", n.unsigned_abs()),
                'x' => format!("{:x}", n.unsigned_abs()),
                _ => format!("{:X}", n.unsigned_abs()),
            };
            Ok(Text::derived(&signed(&digits, n < 0, verb), call.span))
        }
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            let num = call.number(arg)?;
            if !num.is_finite() {
                return Err(Stop::Open);
            }
            let negative = num.compare(Num::int(0)).is_lt();
            let value = num.to_f64().abs();
            let digits = match verb.letter {
                'f' | 'F' => format!("{value:.*}", verb.precision.unwrap_or(6)),
                'e' | 'E' => {
                    let precision = verb.precision.unwrap_or(6);
                    exponent(&format!("{value:.precision$e}"), verb.letter)
                }
                _ => {
                    let plain = if negative {
                        num.negate().to_string()
                    } else {
                        num.to_string()
                    };
                    match verb.precision {
                        None => {
                            let magnitude = if value == 0.0 {
                                0.0
                            } else {
                                value.log10().floor()
                            };
                            if (-4.0..21.0).contains(&magnitude) {
                                plain
                            } else {
                                let letter = if verb.letter == 'G' { 'E' } else { 'e' };
                                exponent(&format!("{value:e}"), letter)
                            }
                        }
                        Some(_) => return Err(Stop::Open),
                    }
                }
            };
            Ok(Text::derived(&signed(&digits, negative, verb), call.span))
        }
        _ => Err("a verb of the format is not known".into()),
    }
}

fn whole(num: Num) -> Option<i128> {
    let text = num.to_string();
    text.parse().ok()
}

/// Go's form of a number that Rust wrote as `1.5e-7`: sign and two digits in the exponent.
fn exponent(text: &str, letter: char) -> String {
    let (digits, power) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, power) = match power.strip_prefix('-') {
        Some(power) => ('-', power),
        None => ('+', power),
    };
    format!("{digits}{letter}{sign}{power:0>2}")
}

/// Sign, zeros and blanks around digits.
fn signed(digits: &str, negative: bool, verb: &Verb) -> String {
    let sign = if negative {
        "-"
    } else if verb.plus {
        "+"
    } else if verb.space {
        " "
    } else {
        ""
    };
    let length = sign.len() + digits.len();
    let width = verb.width.unwrap_or(0);
    let missing = width.saturating_sub(length);
    if verb.zero && !verb.minus {
        format!("{sign}{}{digits}", "0".repeat(missing))
    } else if verb.minus {
        format!("{sign}{digits}{}", " ".repeat(missing))
    } else {
        format!("{}{sign}{digits}", " ".repeat(missing))
    }
}

fn format(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let Some((format, args)) = args.split_first() else {
        return Err("an argument is missing".into());
    };
    let format = call.text(format)?;
    if args.iter().any(Val::is_null) {
        // A null among the arguments makes the whole null.
        return Ok(Val::null(call.src()));
    }
    run(call, &format, args)
}

fn formatlist(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let Some((format, args)) = args.split_first() else {
        return Err("an argument is missing".into());
    };
    let format = call.text(format)?;
    let is_list = |arg: &Val| matches!(arg.data(), Data::Seq(_));
    let lists: Vec<usize> = args
        .iter()
        .filter(|arg| is_list(arg))
        .filter_map(|arg| arg.as_items().map(<[Val]>::len))
        .collect();
    let is_unknown_list = |arg: &Val| match arg.data() {
        Data::Unknown(unknown) => !matches!(unknown.ty, Ty::String | Ty::Number | Ty::Bool),
        _ => false,
    };
    if args.iter().any(is_unknown_list) {
        return Err(Stop::Open);
    }
    let count = match lists.first() {
        Some(first) if lists.iter().all(|len| len == first) => *first,
        Some(_) => return Err("all lists must have the same length".into()),
        None => 1,
    };
    let mut items = Vec::with_capacity(count);
    for at in 0..count {
        let row: Vec<Val> = args
            .iter()
            .map(|arg| match arg.as_items() {
                Some(list) if is_list(arg) => list
                    .get(at)
                    .map_or_else(|| arg.clone(), |item| item.under(arg)),
                _ => arg.clone(),
            })
            .collect();
        let item = call
            .evaluator
            .spread(&row, |row| match run(call, &format, row) {
                Ok(val) => Ok(val),
                Err(Stop::Open) => Ok(ops::call(
                    "formatlist",
                    &row.iter().collect::<Vec<_>>(),
                    Ty::String,
                    call.src(),
                )),
                Err(Stop::Fail(mut fail)) => {
                    fail.span = fail.span.or(Some(call.span));
                    Err(fail)
                }
            })?;
        items.push(item);
    }
    let open = args.iter().any(crate::eval::access::is_open);
    let list = Val::new(
        Data::Seq(overgrant_value::Seq {
            kind: SeqKind::List,
            elem: Ty::String,
            items,
        }),
        call.src(),
    );
    Ok(if open {
        list.marked(overgrant_value::Marks::MAYBE)
    } else {
        list
    })
}
