//! Data sources whose results follow from their arguments, and those that stand for the account, the
//! region and the partition.
//!
//! Source: the Terraform AWS provider's documentation of each; AWS-managed policies from the catalog.
//! Not for data sources that look something up: their attributes stay symbols. Invariant: a result
//! that is given here is the provider's for every account.

use super::expr::Eval;
use super::instance::{Evaluator, Target};
use super::scope::Scope;
use crate::config::module::join;
use crate::functions::{self, arn_parts};
use crate::roots::normal;
use crate::syntax::tree::Body;
use overgrant_catalog::catalog;
use overgrant_source::Span;
use overgrant_value::{Answer, Data, Entry, Map, Marks, Src, Sym, Text, Val, json};
use smol_str::SmolStr;

/// Bytes of a document of `aws_iam_policy_documents` by default: the quota of a managed policy.
const MAX_POLICY_SIZE: i64 = 6_144;

impl Evaluator<'_> {
    /// The attribute `name` of a data source; `None` where only AWS knows it.
    pub(crate) fn data_attribute(
        &self,
        target: &Target,
        body: &Body,
        addr: &SmolStr,
        name: &str,
        src: &Src,
    ) -> Option<Eval> {
        let text = |text: Text| Some(Ok(Val::text(text, src.clone())));
        let hole = |sym: Sym| text(Text::hole(sym, src.clone()));
        let argument = |name: &str| -> Option<Text> {
            let val = self.configured(target, body, name)?.ok()?;
            if val.is_null() { None } else { val.to_text() }
        };
        match (target.key.kind.as_str(), name) {
            ("aws_caller_identity", "account_id" | "id") => {
                text(self.frame_of(target, body).account_at(src))
            }
            ("aws_region", "name" | "id" | "region") => {
                let named = argument("region").or_else(|| argument("name"));
                text(named.unwrap_or_else(|| self.frame_of(target, body).region_at(src)))
            }
            ("aws_partition", "partition" | "id") => hole(Sym::Partition),
            ("aws_partition", "dns_suffix") => hole(Sym::UrlSuffix),
            ("aws_partition", "reverse_dns_prefix") => text(Text::known("com.amazonaws")),
            ("aws_service_principal", "name") => {
                let service = argument("service_name")?;
                text(service.concat(&Text::known(".amazonaws.com")))
            }
            ("aws_service_principal", "id") => {
                let service = argument("service_name")?;
                let region = argument("region")
                    .unwrap_or_else(|| self.frame_of(target, body).region_at(src));
                let service = service.concat(&Text::known(".")).concat(&region);
                text(service.concat(&Text::known(".amazonaws.com")))
            }
            ("aws_default_tags", "tags") => self.default_tags(target, body),
            // The issuer of a session is its role, whose path the session does not tell.
            ("aws_iam_session_context", "issuer_arn") => {
                let arn = argument("arn")?;
                let [_, _, _, _, resource] = arn_parts(&arn).ok()?;
                match resource.starts_with("assumed-role/") {
                    Answer::No => text(arn),
                    _ => None,
                }
            }
            ("aws_service_principal", "suffix") => text(Text::known("amazonaws.com")),
            ("aws_arn", part) => {
                let at = ["partition", "service", "region", "account", "resource"]
                    .iter()
                    .position(|known| *known == part)?;
                let parts = arn_parts(&argument("arn")?).ok()?;
                text(parts.get(at)?.clone())
            }
            ("aws_iam_policy", "policy" | "arn" | "name" | "id") => {
                let arn = argument("arn");
                let named = arn.as_ref().map(managed_name);
                let wanted = named.unwrap_or_else(|| argument("name")?.as_known())?;
                let policy = catalog().managed_policy(&wanted)?;
                match (name, arn) {
                    // Nobody wrote the text; it comes by way of who chose it.
                    ("policy", _) => {
                        let chosen = ["arn", "name"]
                            .iter()
                            .find_map(|name| self.configured(target, body, name)?.ok());
                        let way = chosen.map_or_else(Src::none, |val| {
                            let span = val.src().span;
                            let start = span.map_or_else(Src::none, |span| {
                                Src::none().through(span, "a policy of AWS")
                            });
                            start.under(val.src())
                        });
                        text(Text::known(policy.document()).under(&way))
                    }
                    ("name", _) => text(Text::known(policy.name())),
                    (_, Some(arn)) => text(arn),
                    (_, None) => {
                        let path = format!(":iam::aws:policy/{}", policy.path_and_name());
                        let partition = Text::hole(Sym::Partition, src.clone());
                        let arn = Text::known("arn:").concat(&partition);
                        text(arn.concat(&Text::known(&path)))
                    }
                }
            }
            ("aws_iam_policy_document", "json" | "minified_json") => {
                let object = self.body(&self.scope_of(target), body, src.clone());
                Some(self.policy_document(&self.existing(target, object), src))
            }
            ("aws_iam_policy_documents", "json" | "minified_json") => {
                let object = self.body(&self.scope_of(target), body, src.clone());
                let document = self.policy_document(&self.existing(target, object), src);
                let most = self
                    .configured(target, body, "max_policy_size")
                    .and_then(|size| size.ok()?.as_i64())
                    .unwrap_or(MAX_POLICY_SIZE);
                Some(document.map(|document| split_by_size(document, most, src)))
            }
            ("template_file", "rendered") => Some(self.template_file(target, body, addr)),
            ("terraform_remote_state", "outputs") => self.state_outputs(target, body).map(Ok),
            _ => None,
        }
    }

    /// The outputs of a state file in the repository.
    fn state_outputs(&self, target: &Target, body: &Body) -> Option<Val> {
        let argument = |name: &str| self.configured(target, body, name)?.ok();
        if argument("backend")?.as_str()? != "local" {
            return None;
        }
        let path = argument("config")?.get("path")?.as_str()?;
        let file = self.sources().load(&normal(&join(&self.dir, &path))).ok()?;
        let state = json::parse_file(&file, json::Options::default()).ok()?;
        let outputs = state.get("outputs")?;
        let mut entries: Vec<Entry> = Vec::new();
        for entry in outputs.as_map().iter().flat_map(|map| &map.entries) {
            entries.push(Entry {
                val: functions::plain(&entry.val.get("value")?),
                ..entry.clone()
            });
        }
        let defaults = argument("defaults");
        let defaults = defaults.as_ref().and_then(Val::as_map);
        for entry in defaults.iter().flat_map(|map| &map.entries) {
            if !entries.iter().any(|known| known.key.same_text(&entry.key)) {
                entries.push(entry.clone());
            }
        }
        let entries = super::types::sorted(entries);
        Some(Val::new(
            Data::Map(Map::object(entries)),
            outputs.src().clone(),
        ))
    }

    fn template_file(&self, target: &Target, body: &Body, addr: &SmolStr) -> Eval {
        let block = target.instance.module.resources.get(&target.key);
        let span = block.map_or_else(
            || Span::new(overgrant_source::FileId(0), 0, 0),
            |block| block.header,
        );
        let template = match self.configured(target, body, "template") {
            Some(template) => template?,
            None => {
                let sym = self.symbol(target, addr, "rendered");
                return Ok(Val::unknown(sym, Src::at(span)));
            }
        };
        let vars = match self.configured(target, body, "vars") {
            Some(vars) => vars?,
            None => Val::object(Vec::new(), Src::none()),
        };
        self.render_text(&Scope::of(&target.instance), &template, &vars, span)
    }
}

/// The documents that hold a document's statements: itself alone, if it is surely small enough.
fn split_by_size(document: Val, most: i64, src: &Src) -> Val {
    let text = json::to_string(&document);
    // Unknown parts may be longer than their names, and escapes are longer than here.
    let small = i64::try_from(text.len()).is_ok_and(|len| len <= most);
    let sure = small && !text.contains("${") && !text.contains(['<', '>', '&']);
    let list = Val::tuple(vec![document], src.clone());
    if sure {
        list
    } else {
        list.marked(Marks::MAYBE)
    }
}

/// The name in the ARN of a policy that AWS keeps, in any partition.
fn managed_name(arn: &Text) -> Option<SmolStr> {
    let [_, service, _, account, resource] = arn_parts(arn).ok()?;
    if !service.is("iam") || !account.is("aws") {
        return None;
    }
    let resource = resource.as_known()?;
    let name = resource.strip_prefix("policy/")?;
    Some(name.rsplit('/').next()?.into())
}
