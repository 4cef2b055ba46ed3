//! "Did you mean": the nearest known action, service or condition key.
//!
//! Not for: accepting near misses. Invariant: a suggestion is a name of the catalog, at a distance
//! of at most a third of what was written, and the same for the same input.

use crate::store::Catalog;
use strsim::osa_distance;

/// The candidate nearest to `text` without case; the first one wins a tie.
fn nearest<'a>(text: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = text.to_ascii_lowercase();
    let limit = (wanted.len() / 3).clamp(1, 6);
    let mut best: Option<(usize, &'a str)> = None;
    for candidate in candidates {
        // Lengths that differ by more than the best distance cannot be nearer.
        let bound = best.map_or(limit, |(distance, _)| distance.saturating_sub(1));
        if candidate.len().abs_diff(wanted.len()) > bound {
            continue;
        }
        let distance = osa_distance(&wanted, &candidate.to_ascii_lowercase());
        if distance <= bound {
            best = Some((distance, candidate));
            if distance == 0 {
                break;
            }
        }
    }
    best.map(|(_, candidate)| candidate)
}

impl Catalog {
    /// The nearest known action to an unknown `service:Name`, as `service:Name`.
    ///
    /// Looks in the service if it is known, then for the very name in another service, then in the
    /// service whose prefix is nearest.
    #[must_use]
    pub fn suggest_action(&self, full: &str) -> Option<String> {
        let (prefix, name) = full.split_once(':')?;
        if name.is_empty() || full.len() > 128 {
            return None;
        }
        let within = |prefix: &str| {
            let service = self.service(prefix)?;
            let names = service.actions().map(|id| self.action_name(id as usize));
            Some(format!("{}:{}", service.prefix(), nearest(name, names)?))
        };
        if let Some(found) = within(prefix) {
            return Some(found);
        }
        let mut homes = self
            .services()
            .filter_map(|service| self.action(self.action_of(service, name)?));
        if let (Some(only), None) = (homes.next(), homes.next()) {
            return Some(only.to_string());
        }
        if self.service(prefix).is_some() {
            return None;
        }
        within(self.suggest_service(prefix)?)
    }

    /// The nearest known service prefix to an unknown one.
    #[must_use]
    pub fn suggest_service(&self, prefix: &str) -> Option<&str> {
        nearest(prefix, self.services().map(|service| service.prefix()))
    }

    /// The nearest known condition key to an unknown one.
    #[must_use]
    pub fn suggest_condition_key(&self, name: &str) -> Option<&str> {
        if name.len() > 128 {
            return None;
        }
        nearest(name, self.condition_keys().map(|key| key.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions() {
        let suggest = |text: &str| Catalog::embedded().suggest_action(text);
        assert_eq!(suggest("s3:GetObjct").as_deref(), Some("s3:GetObject"));
        assert_eq!(suggest("iam:PasRole").as_deref(), Some("iam:PassRole"));
        assert_eq!(suggest("ec2:PassRole").as_deref(), Some("iam:PassRole"));
        assert_eq!(
            suggest("lamda:InvokeFunction").as_deref(),
            Some("lambda:InvokeFunction")
        );
        assert_eq!(suggest("s3:Zzzzzzzzzzzz"), None);
        assert_eq!(suggest("nothing"), None);
        assert_eq!(suggest(&format!("s3:{}", "x".repeat(100_000))), None);
    }

    #[test]
    fn keys_and_services() {
        let catalog = Catalog::embedded();
        assert_eq!(
            catalog.suggest_condition_key("aws:SourceIP4"),
            Some("aws:SourceIp")
        );
        assert_eq!(
            catalog.suggest_condition_key("aws:PrincipalOrgId1"),
            Some("aws:PrincipalOrgID")
        );
        assert_eq!(catalog.suggest_condition_key("qqqqqqqqqqqq"), None);
        assert_eq!(catalog.suggest_service("dynamdb"), Some("dynamodb"));
    }
}
