//! Functions on numbers.
//!
//! Invariant: a result that is not exact in decimal is unknown.

use super::collection::first;
use super::{Call, Function, Kind, MANY, Outcome, Stop, Takes, function};
use overgrant_value::{Data, Num, Val};

pub(super) const TABLE: &[Function] = &[
    function("abs", (1, 1), Kind::Number, Takes::Known, abs),
    function("ceil", (1, 1), Kind::Number, Takes::Known, ceil),
    function("floor", (1, 1), Kind::Number, Takes::Known, floor),
    function("max", (1, MANY), Kind::Number, Takes::Known, max),
    function("min", (1, MANY), Kind::Number, Takes::Known, min),
    function("sum", (1, 1), Kind::Number, Takes::Known, sum),
    function("signum", (1, 1), Kind::Number, Takes::Known, signum),
    function("pow", (2, 2), Kind::Number, Takes::Known, pow),
    function("log", (2, 2), Kind::Number, Takes::Known, log),
    function("parseint", (2, 2), Kind::Number, Takes::Known, parseint),
];

fn num(call: &Call<'_, '_>, num: Num) -> Val {
    Val::new(Data::Num(num), call.src())
}

fn abs(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let n = call.number(&first(args)?)?;
    Ok(num(
        call,
        if n.compare(Num::int(0)).is_lt() {
            n.negate()
        } else {
            n
        },
    ))
}

fn floor(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    Ok(num(call, call.number(&first(args)?)?.floor()))
}

fn ceil(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    Ok(num(
        call,
        call.number(&first(args)?)?.negate().floor().negate(),
    ))
}

fn extreme(call: &Call<'_, '_>, args: &[Val], greater: bool) -> Outcome {
    let mut best: Option<Num> = None;
    for arg in args {
        let n = call.number(arg)?;
        best = Some(match best {
            Some(best) if n.compare(best).is_gt() != greater => best,
            _ => n,
        });
    }
    best.map(|best| num(call, best))
        .ok_or_else(|| "an argument is missing".into())
}

fn max(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    extreme(call, args, true)
}

fn min(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    extreme(call, args, false)
}

fn sum(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let items = call.items(&first(args)?)?;
    if items.is_empty() {
        return Err("the list is empty".into());
    }
    let mut all = Num::int(0);
    for item in &items {
        all = all.checked_add(call.number(item)?).ok_or(Stop::Open)?;
    }
    Ok(num(call, all))
}

fn signum(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let n = call.number(&first(args)?)?;
    let sign = match n.compare(Num::int(0)) {
        std::cmp::Ordering::Less => -1,
        std::cmp::Ordering::Equal => 0,
        std::cmp::Ordering::Greater => 1,
    };
    Ok(Val::int(sign, call.src()))
}

/// A float that Terraform computes as one; whole results are exact.
fn float(call: &Call<'_, '_>, value: f64) -> Outcome {
    if value.is_nan() {
        return Err("the result is not a number".into());
    }
    if value.is_infinite() {
        return Ok(num(call, Num::infinity(value < 0.0)));
    }
    Num::parse(&format!("{value}"))
        .map(|n| num(call, n))
        .ok_or(Stop::Open)
}

fn pow(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    match args {
        [base, power] => float(
            call,
            call.number(base)?
                .to_f64()
                .powf(call.number(power)?.to_f64()),
        ),
        _ => Err("two arguments are needed".into()),
    }
}

fn log(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    match args {
        [n, base] => {
            let (n, base) = (call.number(n)?.to_f64(), call.number(base)?.to_f64());
            float(call, n.ln() / base.ln())
        }
        _ => Err("two arguments are needed".into()),
    }
}

fn parseint(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let [text, base] = args else {
        return Err("two arguments are needed".into());
    };
    if !matches!(text.data(), Data::Str(_)) {
        return Err("the first argument must be a text".into());
    }
    let text = call.string(text)?;
    let base = i128::from(call.integer(base)?);
    if !(2..=62).contains(&base) {
        return Err("the base is from 2 to 62".into());
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    if digits.is_empty() {
        return Err("the text is not a number of this base".into());
    }
    let mut all: i128 = 0;
    for c in digits.chars() {
        // Go's big.Int: letters are equal up to base 36, above that lower case comes first.
        let digit = match c {
            '0'..='9' => i128::from(u32::from(c) - u32::from('0')),
            'a'..='z' => i128::from(u32::from(c) - u32::from('a')) + 10,
            'A'..='Z' if base <= 36 => i128::from(u32::from(c) - u32::from('A')) + 10,
            'A'..='Z' => i128::from(u32::from(c) - u32::from('A')) + 36,
            _ => base,
        };
        if digit >= base {
            return Err("the text is not a number of this base".into());
        }
        all = all
            .checked_mul(base)
            .and_then(|all| all.checked_add(digit))
            .ok_or(Stop::Open)?;
    }
    Ok(num(call, Num::int(if negative { -all } else { all })))
}
