//! Variables that a tool fills in before the template is deployed, as those of the Serverless Framework.
//!
//! Not for references of CloudFormation, nor for policy variables, which `IAM` fills in. Invariant: only
//! prefixes that neither of them has are taken for such variables; the text around them keeps its places.
//! <https://www.serverless.com/framework/docs/guides/variables>

use overgrant_value::{Piece, Src, Sym, Text};
use std::ops::Range;

/// What variables of the tool begin with.
const PREFIXES: [&str; 8] = [
    "cf(", "cf:", "env:", "file(", "opt:", "param:", "self:", "sls:",
];

/// Whether a name in `${…}` is such a variable.
pub(super) fn is_variable(name: &str) -> bool {
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// The text with such variables left open; nothing where there are none.
pub(super) fn left_open(text: &Text) -> Option<Text> {
    let [Piece::Lit(lit)] = text.pieces() else {
        return None;
    };
    let all = lit.as_str();
    let mut out = Text::empty();
    let mut at = 0;
    while let Some(range) = next(all, at) {
        out.append(&text.slice(at..range.start).unwrap_or_default());
        let src = lit
            .slice(range.clone())
            .map_or_else(Src::none, |lit| lit.src());
        let sym = Sym::Other {
            what: all.get(range.clone()).unwrap_or_default().into(),
            at: src.span,
        };
        out.append(&Text::hole(sym, src));
        at = range.end;
    }
    if at == 0 {
        return None;
    }
    out.append(&text.slice(at..all.len()).unwrap_or_default());
    Some(out)
}

/// The next variable from byte `from` on, those inside it included.
fn next(text: &str, from: usize) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        let start = at + text.get(at..)?.find("${")?;
        let rest = text.get(start..)?;
        if is_variable(rest.get(2..)?.trim_start()) {
            return Some(start..start + length(rest));
        }
        at = start + 2;
    }
}

/// Up to the brace that closes the first one, or all.
fn length(text: &str) -> usize {
    let mut open = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' if open <= 1 => return at + 1,
            b'}' => open -= 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use crate::testing::property;

    fn value(text: &str) -> String {
        property(&format!(
            "Resources: {{X: {{Type: AWS::SNS::Topic, Properties: {{V: {text}}}}}}}"
        ))
    }

    #[test]
    fn variables_are_open_and_what_is_around_them_stays() {
        assert_eq!(
            value("'arn:aws:s3:::${self:custom.${opt:stage}.name, ''x''}/*'"),
            "\"arn:aws:s3:::${${self:custom.${opt:stage}.name, 'x'}}/*\""
        );
        assert_eq!(value("'${self:a}${env:B}'"), "\"${${self:a}}${${env:B}}\"");
        assert!(value("!Sub 'a-${opt:stage}'").contains("${opt:stage}"));
    }

    #[test]
    fn policy_variables_stay_text() {
        for text in [
            "home/${aws:username}",
            "${s3:prefix}",
            "${saml:sub}",
            "${",
            "a${self",
        ] {
            assert_eq!(value(&format!("'{text}'")), format!("\"{text}\""));
        }
    }
}
