//! One finding with all that outputs need.
//!
//! Not for choosing what is shown. Invariant: `primary` is the smallest thing that must change;
//! `flow` runs from the value's source to where it takes effect and is empty where both are one.

use crate::{Confidence, Fix, Severity};
use overgrant_ir::Place;
use overgrant_source::Span;
use overgrant_value::Src;
use smol_str::SmolStr;

/// Another place that belongs to the finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// The place.
    pub span: Span,
    /// What is there, e.g. "attached to `aws_iam_role.ci`".
    pub label: String,
    /// The resource it stands in, where that is another one.
    pub address: Option<SmolStr>,
}

/// One step of a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The place.
    pub span: Span,
    /// What happens there, e.g. "local.actions".
    pub label: String,
}

/// One entry of a statement: where it stands and what it says.
pub type Entry = (Span, String);

/// The statement that a finding is about, for telling whether two findings speak of the same thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The whole statement.
    pub statement: Option<Span>,
    /// Actions, resources, principals and conditions, in this order; entries without bytes are
    /// left out.
    pub elements: [Vec<Entry>; 4],
}

/// What a rule found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Rule id.
    pub rule: &'static str,
    /// How bad, context included.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// First sentence complete on its own, names in backticks.
    pub message: String,
    /// What the message says that somebody may do, without who: for a finding that tells it along.
    pub deed: Option<String>,
    /// The smallest thing that must change; `None` where the finding has no bytes of its own
    /// (then it is about a file as a whole).
    pub primary: Option<Span>,
    /// Words under the primary place.
    pub label: Option<String>,
    /// Other places.
    pub related: Vec<Related>,
    /// The value's way, source first.
    pub flow: Vec<Step>,
    /// Address of the resource that holds the primary place.
    pub address: SmolStr,
    /// Root of that resource.
    pub root: SmolStr,
    /// Address of the resource that the rule looked at: often that of the primary place, another
    /// one where the value comes from elsewhere.
    pub holder: SmolStr,
    /// Resource type, for the fingerprint.
    pub kind: SmolStr,
    /// Addresses of further instances with the same finding at the same place.
    pub instances: Vec<SmolStr>,
    /// `#Sid` or `#n` of the statement judged.
    pub statement: Option<String>,
    /// The statement judged, in places.
    pub judged: Option<Judged>,
    /// Entries of the statement that the finding speaks of beside its places.
    pub covers: Vec<Span>,
    /// When it holds, in words.
    pub guard: Option<String>,
    /// What to do, in one sentence.
    pub help: Option<String>,
    /// More lines for people (`path: …`).
    pub notes: Vec<String>,
    /// A mechanical change, if there is one.
    pub fix: Option<Fix>,
    /// Canonical text of what was judged, for the fingerprint.
    pub cell: String,
    /// `og1:…`; empty until [`crate::assign`] has run.
    pub fingerprint: String,
    /// Addresses of affected principals.
    pub principals: Vec<SmolStr>,
    /// Ids of escalation paths.
    pub paths: Vec<String>,
}

impl Finding {
    /// A finding at `src` in the resource at `place`: flow from the hops of `src`, guard and
    /// certainty from the place. Where `src` has no bytes, the resource's header is the place.
    #[must_use]
    pub fn new(
        rule: &'static str,
        severity: Severity,
        confidence: Confidence,
        place: &Place,
        src: &Src,
        message: impl Into<String>,
    ) -> Self {
        let primary = src.span.or(place.name_src.span).or(place.src.span);
        let mut flow = Vec::new();
        if let Some(span) = src.span
            && !src.is_local()
        {
            flow.push(Step {
                span,
                label: "written here".to_owned(),
            });
            flow.extend(src.hops().into_iter().map(|hop| Step {
                span: hop.span,
                label: hop.label.to_string(),
            }));
        }
        Self {
            rule,
            severity,
            confidence: if place.maybe {
                confidence.lower()
            } else {
                confidence
            },
            message: message.into(),
            deed: None,
            primary,
            label: None,
            related: Vec::new(),
            flow,
            address: place.address.clone(),
            root: place.root.clone(),
            holder: place.address.clone(),
            kind: place.kind.clone(),
            instances: Vec::new(),
            statement: None,
            judged: None,
            covers: Vec::new(),
            guard: (!place.guard.is_always()).then(|| place.guard.to_string()),
            help: None,
            notes: Vec::new(),
            fix: None,
            cell: String::new(),
            fingerprint: String::new(),
            principals: Vec::new(),
            paths: Vec::new(),
        }
    }
}
