//! Secrets that leave through outputs of stacks and root modules.
//!
//! Not for other outputs, which grant nothing. Invariant: only the place of a secret is kept.

use crate::node::{Credential, CredentialKind};
use crate::{Format, Model, Place};
use overgrant_value::{Data, Guard, Hole, Marks, Piece, Src, Sym, Text, Val};
use smol_str::SmolStr;

/// An evaluated output.
#[derive(Debug, Clone)]
pub struct Output {
    /// Root module directory, template path or artifact id.
    pub root: SmolStr,
    /// Address as its user writes it: `output.x`, `Outputs.X`.
    pub address: SmolStr,
    /// The format it comes from.
    pub format: Format,
    /// Its value.
    pub val: Val,
    /// Where it stands.
    pub src: Src,
    /// When it exists.
    pub guard: Guard,
}

/// Attributes of access keys and login profiles that are secret, in both formats.
const SECRETS: [&str; 4] = [
    "secret",
    "ses_smtp_password_v4",
    "password",
    "SecretAccessKey",
];

/// Adds a credential for every output that carries the secret of an access key or login profile of
/// the model. Outputs marked sensitive count: they still stand in the state.
pub fn lower_outputs(model: &mut Model, outputs: &[Output]) {
    let mut found = Vec::new();
    for output in outputs {
        let mut holes = Vec::new();
        collect(&output.val, &mut holes);
        for hole in holes {
            let Sym::Attr { root, addr, path } = &hole.sym else {
                continue;
            };
            let source = model.credentials.iter().find(|credential| {
                credential.place.root == *root
                    && credential.place.address == *addr
                    && matches!(
                        credential.kind,
                        CredentialKind::AccessKey | CredentialKind::LoginProfile
                    )
            });
            let Some(source) = source else { continue };
            if !SECRETS.contains(&path.as_str()) {
                continue;
            }
            let sensitive = output.val.marks().has(Marks::SENSITIVE);
            found.push(Credential {
                place: Place {
                    root: output.root.clone(),
                    address: output.address.clone(),
                    kind: "output".into(),
                    format: output.format,
                    logical_id: None,
                    maker: crate::Maker::Author,
                    src: output.src.clone(),
                    name_src: output.src.clone(),
                    guard: output.guard.clone(),
                    maybe: false,
                },
                kind: CredentialKind::Output,
                user: source.user.clone(),
                src: hole.src.clone(),
                attribute: if sensitive {
                    "sensitive value".into()
                } else {
                    "value".into()
                },
            });
        }
    }
    model.credentials.extend(found);
}

fn collect(val: &Val, holes: &mut Vec<Hole>) {
    match val.data() {
        Data::Str(text) => in_text(text, val.src(), holes),
        Data::Unknown(unknown) => holes.push(Hole {
            sym: unknown.sym.clone(),
            shape: unknown.sym.shape(),
            src: val.src().clone(),
        }),
        Data::Seq(seq) => seq.items.iter().for_each(|item| collect(item, holes)),
        Data::Map(map) => {
            for entry in &map.entries {
                collect(&entry.val, holes);
            }
        }
        Data::OneOf(alts) => alts.iter().for_each(|alt| collect(&alt.val, holes)),
        Data::Null(_) | Data::Bool(_) | Data::Num(_) => {}
    }
}

fn in_text(text: &Text, src: &Src, holes: &mut Vec<Hole>) {
    for piece in text.pieces() {
        match piece {
            Piece::Hole(hole) => holes.push(Hole {
                src: hole.src.under(src),
                ..(**hole).clone()
            }),
            Piece::Json(val) => collect(val, holes),
            Piece::Lit(_) => {}
        }
    }
}
