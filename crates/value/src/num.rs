//! Numbers as configuration needs them: exact decimals up to 38 digits.
//!
//! Not for arithmetic at large: what does not fit gives `None`, and the caller makes it unknown.
//! Invariant: the mantissa has no trailing zero while the exponent is negative.

use std::cmp::Ordering;
use std::fmt;

/// A decimal number `mantissa * 10^exponent`, or an infinity (Terraform has `1/0`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Num(Repr);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Repr {
    Finite { mantissa: i128, exponent: i32 },
    Infinite { negative: bool },
}

impl Num {
    /// The integer `n`.
    #[must_use]
    pub fn int(n: i128) -> Self {
        Self::finite(n, 0)
    }

    /// An infinity.
    #[must_use]
    pub fn infinity(negative: bool) -> Self {
        Self(Repr::Infinite { negative })
    }

    fn finite(mut mantissa: i128, mut exponent: i32) -> Self {
        if mantissa == 0 {
            exponent = 0;
        }
        while exponent < 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            exponent += 1;
        }
        while exponent > 0 {
            let Some(wider) = mantissa.checked_mul(10) else {
                break;
            };
            mantissa = wider;
            exponent -= 1;
        }
        Self(Repr::Finite { mantissa, exponent })
    }

    /// Reads decimal text such as `-1`, `2.50`, `1e3`. `None` for anything else and for more than
    /// 38 digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (digits, power) = match rest.split_once(['e', 'E']) {
            Some((digits, power)) => (digits, power.parse::<i32>().ok()?),
            None => (rest, 0),
        };
        if power.abs() > 1000 {
            return None;
        }
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let mut mantissa: i128 = 0;
        for digit in whole.chars().chain(fraction.chars()) {
            let digit = i128::from(digit.to_digit(10)?);
            mantissa = mantissa.checked_mul(10)?.checked_add(digit)?;
        }
        if negative {
            mantissa = -mantissa;
        }
        let exponent = power - i32::try_from(fraction.len()).ok()?;
        Some(Self::finite(mantissa, exponent))
    }

    /// The value as a whole number, if it is one that fits.
    #[must_use]
    pub fn to_i64(self) -> Option<i64> {
        match self.0 {
            Repr::Finite {
                mantissa,
                exponent: 0,
            } => i64::try_from(mantissa).ok(),
            _ => None,
        }
    }

    /// The nearest `f64`.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        match self.0 {
            Repr::Infinite { negative: true } => f64::NEG_INFINITY,
            Repr::Infinite { negative: false } => f64::INFINITY,
            Repr::Finite { .. } => self.to_string().parse().unwrap_or(f64::NAN),
        }
    }

    /// Whether the number is finite.
    #[must_use]
    pub fn is_finite(self) -> bool {
        matches!(self.0, Repr::Finite { .. })
    }

    /// The negated number.
    #[must_use]
    pub fn negate(self) -> Self {
        match self.0 {
            Repr::Finite { mantissa, exponent } => Self(Repr::Finite {
                mantissa: -mantissa,
                exponent,
            }),
            Repr::Infinite { negative } => Self::infinity(!negative),
        }
    }

    /// Both at one exponent: (left mantissa, right mantissa, exponent).
    fn align(self, other: Self) -> Option<(i128, i128, i32)> {
        let (
            Repr::Finite {
                mantissa: a,
                exponent: ea,
            },
            Repr::Finite {
                mantissa: b,
                exponent: eb,
            },
        ) = (self.0, other.0)
        else {
            return None;
        };
        let exponent = ea.min(eb);
        let scale = |mantissa: i128, from: i32| {
            let power = u32::try_from(from - exponent).ok()?;
            10_i128.checked_pow(power)?.checked_mul(mantissa)
        };
        Some((scale(a, ea)?, scale(b, eb)?, exponent))
    }

    /// Sum; `None` where it does not fit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let (a, b, exponent) = self.align(other)?;
        Some(Self::finite(a.checked_add(b)?, exponent))
    }

    /// Product; `None` where it does not fit.
    #[must_use]
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        let (
            Repr::Finite {
                mantissa: a,
                exponent: ea,
            },
            Repr::Finite {
                mantissa: b,
                exponent: eb,
            },
        ) = (self.0, other.0)
        else {
            return None;
        };
        Some(Self::finite(a.checked_mul(b)?, ea.checked_add(eb)?))
    }

    /// Exact quotient; an infinity for a division by zero; `None` where it has no short decimal form.
    #[must_use]
    pub fn checked_div(self, other: Self) -> Option<Self> {
        let (a, b, _) = self.align(other)?;
        if b == 0 {
            return (a != 0).then(|| Self::infinity(a < 0));
        }
        let (mut a, mut exponent) = (a, 0);
        while a % b != 0 {
            a = a.checked_mul(10)?;
            exponent -= 1;
        }
        Some(Self::finite(a / b, exponent))
    }

    /// Remainder with the sign of the dividend, as Terraform's `%`.
    #[must_use]
    pub fn checked_rem(self, other: Self) -> Option<Self> {
        let (a, b, exponent) = self.align(other)?;
        Some(Self::finite(a.checked_rem(b)?, exponent))
    }

    /// Rounds down.
    #[must_use]
    pub fn floor(self) -> Self {
        match self.0 {
            Repr::Finite { mantissa, exponent } if exponent < 0 => {
                let Some(power) = u32::try_from(-exponent)
                    .ok()
                    .and_then(|n| 10_i128.checked_pow(n))
                else {
                    return Self::int(if mantissa < 0 { -1 } else { 0 });
                };
                Self::int(mantissa.div_euclid(power))
            }
            _ => self,
        }
    }

    /// Compares two numbers.
    #[must_use]
    pub fn compare(self, other: Self) -> Ordering {
        if self == other {
            return Ordering::Equal;
        }
        match (self.0, other.0) {
            (Repr::Infinite { negative }, _) => {
                if negative {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (_, Repr::Infinite { negative }) => {
                if negative {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            _ => match self.align(other) {
                Some((a, b, _)) => a.cmp(&b),
                None => self.to_f64().total_cmp(&other.to_f64()),
            },
        }
    }
}

impl fmt::Display for Num {
    /// Shortest decimal text without exponent, as Terraform prints numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mantissa, exponent) = match self.0 {
            Repr::Infinite { negative } => {
                return f.write_str(if negative { "-Inf" } else { "Inf" });
            }
            Repr::Finite { mantissa, exponent } => (mantissa, exponent),
        };
        if mantissa < 0 {
            f.write_str("-")?;
        }
        let digits = mantissa.unsigned_abs().to_string();
        let places = usize::try_from(exponent.unsigned_abs()).unwrap_or(0);
        if exponent >= 0 {
            write!(f, "{digits}{}", "0".repeat(places))
        } else {
            let padded = format!("{digits:0>width$}", width = places + 1);
            let (whole, fraction) = padded.split_at(padded.len() - places);
            write!(f, "{whole}.{fraction}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints() {
        for (text, printed) in [
            ("0", "0"),
            ("-0.50", "-0.5"),
            ("1e3", "1000"),
            ("12.30", "12.3"),
            ("1e-3", "0.001"),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
            (
                "1e50",
                "100000000000000000000000000000000000000000000000000",
            ),
        ] {
            assert_eq!(Num::parse(text).unwrap().to_string(), printed);
        }
        for text in ["", ".", "0x1", "1_0", " 1", "1e", "NaN"] {
            assert_eq!(Num::parse(text), None, "{text}");
        }
    }

    #[test]
    fn counts_exactly() {
        let n = |text| Num::parse(text).unwrap();
        assert_eq!(n("0.1").checked_add(n("0.2")), Some(n("0.3")));
        assert_eq!(n("-7").checked_rem(n("3")), Some(n("-1")));
        assert_eq!(n("1").checked_div(n("8")), Some(n("0.125")));
        assert_eq!(n("1").checked_div(n("3")), None);
        assert_eq!(n("1").checked_div(n("0")), Some(Num::infinity(false)));
        assert_eq!(n("-1.5").floor(), n("-2"));
        assert_eq!(n("2").compare(n("10")), Ordering::Less);
        assert_eq!(n("2").compare(Num::infinity(true)), Ordering::Greater);
    }
}
