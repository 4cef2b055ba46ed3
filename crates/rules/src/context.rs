//! What a rule gets to see, and how it reports.
//!
//! Not for questions about access, which the `access` crate answers. Invariant: every finding of a
//! run went through [`Context::report`], which fills what follows from place and origin.

use crate::{Rule, Settings};
use overgrant_access::Access;
use overgrant_finding::{Confidence, Entry, Finding, Fix, Judged, Related, Severity};
use overgrant_ir::{Model, Place};
use overgrant_policy::{Answer, Statement};
use overgrant_value::{Guard, Marks, Src};

/// The run as one rule sees it.
#[derive(Debug)]
pub struct Context<'a> {
    /// The model.
    pub model: &'a Model,
    /// The linked model.
    pub access: &'a Access<'a>,
    /// The user's settings.
    pub settings: &'a Settings,
    rule: &'static Rule,
    findings: Vec<Finding>,
}

impl<'a> Context<'a> {
    /// A context for one rule.
    #[must_use]
    pub fn new(rule: &'static Rule, access: &'a Access<'a>, settings: &'a Settings) -> Self {
        Self {
            model: access.model(),
            access,
            settings,
            rule,
            findings: Vec::new(),
        }
    }

    /// Begins a finding at `src` in the resource at `place`, with the rule's severity and
    /// confidence. The first sentence of `message` must be complete on its own.
    #[must_use]
    pub fn finding(&self, place: &Place, src: &Src, message: impl Into<String>) -> Report {
        let mut finding = Finding::new(
            self.rule.id,
            self.rule.severity,
            self.rule.confidence,
            place,
            &self.used(src),
            message,
        );
        if let Some(span) = finding.primary {
            finding.address = self.model.blocks.address_at(place, span);
        }
        Report {
            finding,
            guard: Some(place.guard.clone()),
        }
    }

    /// Begins the finding that the whole code base lacks something: it stands in no resource, and its
    /// place is the first root. `None` where there is nothing at all.
    #[must_use]
    pub fn absence(&self, what: &str, message: impl Into<String>) -> Option<Report> {
        let model = self.model;
        let places = model.settings.iter().map(|one| &one.place);
        let first = places
            .chain(model.identities.iter().map(|one| &one.place))
            .chain(model.documents.iter().map(|one| &one.place))
            .min_by(|a, b| a.root.cmp(&b.root))?;
        let place = Place {
            address: "".into(),
            root: if first.root.is_empty() {
                ".".into()
            } else {
                first.root.clone()
            },
            src: Src::none(),
            name_src: Src::none(),
            guard: Guard::always(),
            maybe: false,
            ..first.clone()
        };
        Some(self.finding(&place, &Src::none(), message).cell(what))
    }

    /// What a resource makes (an ARN, a name) or AWS keeps (a policy) is written by nobody: its place is
    /// where it is first used.
    fn used(&self, src: &Src) -> Src {
        let made = src
            .span
            .is_none_or(|span| self.model.blocks.begins_at(span));
        let hops = src.hops();
        let (true, Some((first, rest))) = (made, hops.split_first()) else {
            return src.clone();
        };
        rest.iter().fold(Src::at(first.span), |src, hop| {
            src.through(hop.span, hop.label.clone())
        })
    }

    /// Files a finding.
    pub fn report(&mut self, report: Report) {
        if let Some(finding) = report.finish() {
            self.findings.push(finding);
        }
    }

    /// Runs the rule and gives its findings.
    #[must_use]
    pub fn run(mut self) -> Vec<Finding> {
        (self.rule.check)(&mut self);
        self.findings
    }
}

/// A finding in the making.
#[derive(Debug)]
pub struct Report {
    finding: Finding,
    guard: Option<Guard>,
}

impl Report {
    /// The statement that was judged: names it, takes its cell for the fingerprint, its guard and
    /// its uncertainty.
    #[must_use]
    pub fn statement(mut self, statement: &Statement) -> Self {
        self.finding.statement = Some(statement.name());
        self.finding.cell = statement.cell_key();
        self.finding.judged = Some(judged(statement));
        self.when(&statement.guard).marks(statement.marks)
    }

    /// What was judged, where it is no statement.
    #[must_use]
    pub fn cell(mut self, cell: impl Into<String>) -> Self {
        self.finding.cell = cell.into();
        self
    }

    /// Holds only under this guard too; contradictory guards drop the finding.
    #[must_use]
    pub fn when(mut self, guard: &Guard) -> Self {
        self.guard = self.guard.and_then(|known| known.and(guard));
        self
    }

    /// Takes the uncertainty of a value: a default or a doubtful existence lowers the confidence
    /// by one step.
    #[must_use]
    pub fn marks(mut self, marks: Marks) -> Self {
        if marks.has(Marks::FROM_DEFAULT) || marks.has(Marks::MAYBE) {
            self.finding.confidence = self.finding.confidence.lower();
        }
        self
    }

    /// A MAY answer makes the confidence low; a NO drops nothing here, so ask before.
    #[must_use]
    pub fn answer(mut self, answer: Answer) -> Self {
        if answer != Answer::Must {
            self.finding.confidence = Confidence::Low;
        }
        self
    }

    /// Another severity than the rule's base.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.finding.severity = severity;
        self
    }

    /// Another confidence than the rule's base, never a higher one than is set.
    #[must_use]
    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.finding.confidence = self.finding.confidence.min(confidence);
        self
    }

    /// Words under the primary place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.finding.label = Some(label.into());
        self
    }

    /// Another place; nothing where it has no bytes.
    #[must_use]
    pub fn related(mut self, src: &Src, label: impl Into<String>, place: Option<&Place>) -> Self {
        if let Some(span) = src.span {
            self.finding.related.push(Related {
                span,
                label: label.into(),
                address: place.map(|place| place.address.clone()),
            });
        }
        self
    }

    /// One more entry of the statement that the finding speaks of, beside the primary and the
    /// related places.
    #[must_use]
    pub fn covers(mut self, src: &Src) -> Self {
        if let Some(span) = src.span
            && !self.finding.covers.contains(&span)
        {
            self.finding.covers.push(span);
        }
        self
    }

    /// The message without its subject, for a finding of the same statement that tells this one along.
    #[must_use]
    pub fn deed(mut self, deed: impl Into<String>) -> Self {
        self.finding.deed = Some(deed.into());
        self
    }

    /// What to do, in one sentence.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.finding.help = Some(help.into());
        self
    }

    /// One more line for people.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.finding.notes.push(note.into());
        self
    }

    /// A mechanical change, if there is one.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<Option<Fix>>) -> Self {
        self.finding.fix = fix.into();
        self
    }

    /// An affected principal.
    #[must_use]
    pub fn principal(mut self, place: &Place) -> Self {
        if !self.finding.principals.contains(&place.address) {
            self.finding.principals.push(place.address.clone());
        }
        self
    }

    /// An affected target that is no resource of the model, such as a unit of the organization.
    #[must_use]
    pub fn concerns(mut self, target: &str) -> Self {
        self.finding.principals.push(target.into());
        self
    }

    /// An escalation path id.
    #[must_use]
    pub fn path(mut self, id: impl Into<String>) -> Self {
        self.finding.paths.push(id.into());
        self
    }

    fn finish(mut self) -> Option<Finding> {
        let guard = self.guard?;
        self.finding.guard = (!guard.is_always()).then(|| guard.to_string());
        Some(self.finding)
    }
}

/// The places of a statement and its entries.
fn judged(statement: &Statement) -> Judged {
    fn entry(src: &Src, text: impl std::fmt::Display) -> Option<Entry> {
        src.span.map(|span| (span, text.to_string()))
    }
    let actions = statement.actions.listed().items.iter();
    let resources = statement.resources.listed().items.iter();
    let conditions = statement.conditions.items.iter();
    Judged {
        statement: statement.src.span,
        elements: [
            actions
                .filter_map(|item| entry(item.pattern().src(), item))
                .collect(),
            resources
                .filter_map(|item| entry(item.pattern().src(), item))
                .collect(),
            statement
                .principals
                .iter()
                .filter_map(|item| entry(item.src(), item))
                .collect(),
            conditions
                .filter_map(|item| {
                    let (span, text) = entry(item.key.src(), &item.key)?;
                    Some((item.src.span.map_or(span, |values| span.to(values)), text))
                })
                .collect(),
        ],
    }
}
