//! Whose account an id is.
//!
//! Not for accounts that are open in the configuration, which count as the user's own. Invariant:
//! without configured accounts nothing is foreign but declared vendors. Source: AWS, "Attach a
//! policy to your Amazon S3 bucket" (load balancer logs by region), "Database audit logging"
//! (Redshift), "Creating cost and usage reports".

use crate::Context;

/// A literal account id as the settings see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Account {
    /// The user's.
    Own,
    /// AWS's own, for log delivery and the like.
    Aws,
    /// A declared vendor's, by name.
    Vendor(String),
    /// Somebody else's.
    Foreign,
    /// Nobody said which accounts are the user's.
    Unclassified,
}

/// Accounts from which AWS delivers logs and images.
#[rustfmt::skip]
const AWS: &[&str] = &[
    "009996457667", "013241004608", "027434742980", "033677994240", "037604701340",
    "048591011584", "054676820928", "076674570225", "098369216593", "114774131450",
    "127311923021", "156460612806", "190560391635", "193672423079", "262260360010",
    "307160386991", "361669875840", "386209384616", "383597477331", "391106570357",
    "507241528517", "582318560864", "600734575887", "602401143452", "635631232127",
    "638102146993", "652711504416", "718504428378", "754344448648", "762762565011",
    "783225319266", "797873946194", "897822967062", "902366379725", "985666609251",
];

/// Classifies an account id. The account that a provider or a stack is held to is the user's, too.
pub(crate) fn classify(cx: &Context<'_>, id: &str) -> Account {
    let settings = cx.settings;
    let held = &cx.model.accounts.roots;
    if settings.owns(id) || held.values().any(|account| account == id) {
        Account::Own
    } else if AWS.contains(&id) {
        Account::Aws
    } else if let Some(name) = settings.vendor(id) {
        Account::Vendor(name.to_owned())
    } else if settings.own_accounts.is_empty() {
        Account::Unclassified
    } else {
        Account::Foreign
    }
}

/// Whether digits hold the place of an account id: not twelve, and counted up or down (`1234567890`,
/// `987654321`). Nobody mistypes an id so.
pub(crate) fn is_counted(id: &str) -> bool {
    let digits: Option<Vec<u32>> = id.chars().map(|letter| letter.to_digit(10)).collect();
    let Some(digits) = digits else { return false };
    let counts = |step: u32| {
        digits
            .windows(2)
            .all(|pair| matches!(pair, [one, next] if (one + step) % 10 == *next))
    };
    digits.len() >= 4 && digits.len() != 12 && (counts(1) || counts(9))
}

impl Account {
    /// Whether it is surely not the user's: a vendor's or somebody else's.
    pub(crate) fn is_foreign(&self) -> bool {
        matches!(self, Self::Vendor(_) | Self::Foreign)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_digits_hold_a_place() {
        for stand_in in [
            "1234567890",
            "0123456789",
            "1234567890123",
            "987654321",
            "1234",
        ] {
            assert!(is_counted(stand_in), "{stand_in}");
        }
        for other in ["123456789012", "30281845", "111111111", "123", "12a4", ""] {
            assert!(!is_counted(other), "{other}");
        }
    }
}
