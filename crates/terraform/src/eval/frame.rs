//! Which account and region a resource or data source is in: what its provider says.
//!
//! Source: developer.hashicorp.com/terraform/language/meta-arguments/providers and the AWS provider's
//! documentation (`region`, `assume_role`, `allowed_account_ids`; `region` of a resource since v6).
//! Not for whom Terraform works as, see `providers` in `block`. Invariant: what the root's own
//! provider deploys into is [`Sym::Account`] and, without a region, [`Sym::Region`]; another account
//! is never that symbol.

use super::expr::Eval;
use super::instance::{Evaluator, Instance, Target};
use super::scope::Scope;
use crate::functions::arn_parts;
use crate::syntax::tree::{Block, Body, Expr, ExprKind, Key, StepKind};
use overgrant_ir::identity;
use overgrant_value::{Hole, Marks, Piece, Shape, Src, Sym, Text, Val};
use smol_str::{SmolStr, format_smolstr};
use std::rc::Rc;
use std::sync::Arc;

/// The provider that a root has without an alias.
const MAIN: &str = "aws";

/// Where a provider deploys into.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frame {
    account: Text,
    region: Text,
}

impl Frame {
    fn main() -> Self {
        Self {
            account: Text::hole(Sym::Account, Src::none()),
            region: Text::hole(Sym::Region, Src::none()),
        }
    }

    /// Whether nothing but the shared symbols is known.
    fn is_main(&self) -> bool {
        *self == Self::main()
    }

    /// The account, as read at a place.
    pub(crate) fn account_at(&self, src: &Src) -> Text {
        placed(&self.account, src)
    }

    /// The region, as read at a place.
    pub(crate) fn region_at(&self, src: &Src) -> Text {
        placed(&self.region, src)
    }

    /// A text of [`identity`] for this frame. What came from arguments, and so has a place, is left
    /// as it is.
    fn place(&self, text: &Text) -> Text {
        let mut result = Text::empty();
        for piece in text.pieces() {
            match piece {
                Piece::Hole(hole) if hole.src.span.is_none() && hole.sym == Sym::Account => {
                    result.append(&self.account);
                }
                Piece::Hole(hole) if hole.src.span.is_none() && hole.sym == Sym::Region => {
                    result.append(&self.region);
                }
                piece => result.push(piece.clone()),
            }
        }
        result
    }
}

impl Evaluator<'_> {
    /// The frame of a resource or data source.
    pub(crate) fn frame_of(&self, target: &Target, body: &Body) -> Frame {
        let named = body
            .attribute("provider")
            .and_then(|attr| provider_name(&attr.value));
        let name = named.unwrap_or_else(|| SmolStr::new_static(MAIN));
        let mut frame = self.frame(&target.instance, &name);
        if let Some(Ok(region)) = self.configured(target, body, "region")
            && let Some(region) = known(&region)
        {
            frame.region = region;
        }
        frame
    }

    /// The identity attribute `name` of a resource in its frame; `None` where the table of
    /// identities does not know it.
    pub(crate) fn identified(
        &self,
        target: &Target,
        body: &Body,
        addr: &str,
        name: &str,
        argument: &dyn Fn(&str) -> Option<Text>,
    ) -> Option<Text> {
        let text = identity::attribute(&target.key.kind, name, &self.root, addr, argument)?;
        Some(self.frame_of(target, body).place(&text))
    }

    /// The resource's own ARN, where it is not the one that its type alone tells.
    pub(crate) fn own_arn(&self, target: &Target, body: &Body, attrs: &Val) -> Option<Text> {
        let row = identity::row(&target.key.kind)?;
        let frame = self.frame_of(target, body);
        if frame.is_main() || attrs.get("arn").is_some() || row.terraform != target.key.kind {
            return None;
        }
        let addr =
            target
                .instance
                .address(&format!("{}{}", target.key.address(), target.member.suffix));
        let argument = |name: &str| {
            let val = attrs.get(name).filter(|val| !val.is_null())?;
            val.to_text()
                .or_else(|| Some(Text::hole(self.symbol(target, &addr, name), Src::none())))
        };
        let text = identity::attribute(&target.key.kind, "arn", &self.root, &addr, &argument)?;
        // The ARNs of IAM hold no region.
        let tells = text.pieces().iter().any(|piece| match piece {
            Piece::Hole(hole) if hole.src.span.is_none() => match hole.sym {
                Sym::Account => !is_hole_of(&frame.account, &Sym::Account),
                Sym::Region => !is_hole_of(&frame.region, &Sym::Region),
                _ => false,
            },
            _ => false,
        });
        tells.then(|| frame.place(&text))
    }

    /// The tags that the provider gives to all resources.
    pub(crate) fn default_tags(&self, target: &Target, body: &Body) -> Option<Eval> {
        let named = body
            .attribute("provider")
            .and_then(|attr| provider_name(&attr.value));
        let name = named.unwrap_or_else(|| SmolStr::new_static(MAIN));
        let (instance, name) = self.provider(&target.instance, &name)?;
        let block = instance.module.providers.get(&name)?;
        let tags = block.body.blocks_of("default_tags").next()?;
        let attr = tags.body.attribute("tags")?;
        Some(self.expr(&Scope::of(&instance), &attr.value))
    }

    fn frame(&self, instance: &Rc<Instance>, name: &SmolStr) -> Frame {
        let Some((instance, name)) = self.provider(instance, name) else {
            return Frame::main();
        };
        let key = (instance.path.clone(), name.clone());
        if let Some(known) = self.frames.borrow().get(&key) {
            return known.clone().unwrap_or_else(Frame::main);
        }
        // A provider whose arguments need the provider itself.
        self.frames.borrow_mut().insert(key.clone(), None);
        let made = match instance.module.providers.get(&name) {
            Some(block) => self.quietly(|| self.read_frame(&instance, &name, block)),
            None => Frame::main(),
        };
        self.frames.borrow_mut().insert(key, Some(made.clone()));
        made
    }

    /// Where the provider that a module knows as `name` is configured, and its name there.
    fn provider(&self, instance: &Rc<Instance>, name: &SmolStr) -> Option<(Rc<Instance>, SmolStr)> {
        let Some((caller, call, _)) = &instance.caller else {
            return Some((Rc::clone(instance), name.clone()));
        };
        let passed = caller
            .module
            .calls
            .get(call)
            .and_then(|block| block.body.attribute("providers"))
            .map(|attr| passed(&attr.value, name));
        match passed {
            Some(Some(outer)) => self.provider(caller, &outer),
            _ if !name.contains('.') && !instance.module.providers.contains_key(name) => {
                self.provider(caller, name)
            }
            _ => Some((Rc::clone(instance), name.clone())),
        }
    }

    fn read_frame(&self, instance: &Rc<Instance>, name: &SmolStr, block: &Block) -> Frame {
        let scope = Scope::of(instance);
        let argument = |body: &Body, name: &str| {
            let attr = body.attribute(name)?;
            self.expr(&scope, &attr.value).ok()
        };
        let is_main = instance.path.is_empty() && name == MAIN;
        let region = match argument(&block.body, "region") {
            None => Text::hole(Sym::Region, Src::none()),
            Some(val) => known(&val).unwrap_or_else(|| match is_main {
                true => Text::hole(Sym::Region, Src::none()),
                false => self.other(instance, name, "region"),
            }),
        };
        let account = if is_main {
            Text::hole(Sym::Account, Src::none())
        } else {
            self.account(instance, name, block)
        };
        Frame { account, region }
    }

    /// The account of a provider that is not the root's own.
    fn account(&self, instance: &Rc<Instance>, name: &SmolStr, block: &Block) -> Text {
        let root = self.root_instance();
        let own = root
            .module
            .providers
            .get(MAIN)
            .map_or_else(Vec::new, |main| self.credentials(&root, &main.body));
        let mine = self.credentials(instance, &block.body);
        if mine == own {
            return Text::hole(Sym::Account, Src::none());
        }
        let named = mine.iter().find_map(|(argument, text)| {
            if *argument == "allowed_account_ids" {
                return Some(text.clone());
            }
            let [_, _, _, account, _] = arn_parts(text).ok()?;
            Some(account)
        });
        match named {
            Some(account) if account.as_known().is_some_and(|id| !id.is_empty()) => account,
            _ => self.other(instance, name, "account_id"),
        }
    }

    /// What decides the account that a provider works in, by argument.
    fn credentials(&self, instance: &Rc<Instance>, body: &Body) -> Vec<(&'static str, Text)> {
        let scope = Scope::of(instance);
        let text = |body: &Body, name: &'static str| {
            let attr = body.attribute(name)?;
            let val = self.expr(&scope, &attr.value).ok()?;
            let val = match val.as_items() {
                Some([only]) => only.clone(),
                Some(_) => return None,
                None => val,
            };
            (!val.is_null())
                .then(|| val.to_text())
                .flatten()
                .map(|text| (name, text))
        };
        let mut found: Vec<(&'static str, Text)> = ["allowed_account_ids", "profile", "access_key"]
            .into_iter()
            .filter_map(|name| text(body, name))
            .collect();
        for kind in ["assume_role", "assume_role_with_web_identity"] {
            for block in body.blocks_of(kind) {
                found.extend(text(&block.body, "role_arn"));
            }
        }
        // Equal texts at other places are equal credentials.
        for (_, text) in &mut found {
            if let Some(known) = text.as_known() {
                *text = Text::known(&known);
            }
        }
        found
    }

    /// A symbol for what only this provider has.
    fn other(&self, instance: &Instance, name: &str, what: &str) -> Text {
        Text::from(Piece::Hole(Arc::new(Hole {
            sym: Sym::Data {
                root: self.root.clone(),
                addr: instance.address(&format!("provider.{name}")),
                path: what.into(),
            },
            shape: Shape::WORD,
            src: Src::none(),
        })))
    }
}

fn is_hole_of(text: &Text, sym: &Sym) -> bool {
    matches!(text.pieces(), [Piece::Hole(hole)] if hole.sym == *sym)
}

/// A text whose parts stand at a place.
fn placed(text: &Text, src: &Src) -> Text {
    let pieces = text.pieces().iter().map(|piece| match piece {
        Piece::Hole(hole) => Piece::Hole(Arc::new(Hole {
            src: src.clone(),
            ..(**hole).clone()
        })),
        piece => piece.clone(),
    });
    pieces.collect()
}

/// A text that is known and not merely a default, without its places: nothing of an ARN that is
/// wrong stands in a provider.
fn known(val: &Val) -> Option<Text> {
    let text = val.as_str()?;
    let sure = !text.is_empty() && !val.marks().has(Marks::FROM_DEFAULT);
    sure.then(|| Text::known(&text))
}

/// The provider that an expression names: `aws.east`, or the same in quotes.
fn provider_name(expr: &Expr) -> Option<SmolStr> {
    match &expr.kind {
        ExprKind::Root(name) => Some(name.clone()),
        ExprKind::Traversal(base, steps) => match (&base.kind, steps.as_slice()) {
            (ExprKind::Root(name), [step]) => match &step.kind {
                StepKind::Attr(alias) => Some(format_smolstr!("{name}.{alias}")),
                _ => None,
            },
            _ => None,
        },
        ExprKind::Paren(inner) | ExprKind::Wrap(inner) => provider_name(inner),
        _ => expr.literal(),
    }
}

/// What a call passes as the provider that the module knows as `name`.
fn passed(providers: &Expr, name: &str) -> Option<SmolStr> {
    let ExprKind::Object(items) = &providers.kind else {
        return None;
    };
    let item = items.iter().find(|item| match &item.key {
        Key::Name(key) => key.text == name,
        Key::Expr(key) => provider_name(key).is_some_and(|key| key == name),
    })?;
    provider_name(&item.value)
}
