//! Quoted scalars that go on with too little indentation, and comments without a blank in front, made
//! readable.
//!
//! Not for other errors. Invariant: masking changes no length, so that places stay.

use std::ops::Range;

/// The text handed to the parser where it differs from the file's.
///
/// YAML forbids, and the service and libyaml accept, quoted scalars whose continuation lines stand
/// left of their parent. Such a line break is overwritten with a filler of the same length, and the
/// filler in the scalar's value is turned back into what the break folds to. The filler is a
/// character that the file does not use.
///
/// YAML also forbids, and both accept, a comment right behind a closing quote or bracket. It is
/// overwritten with blanks.
#[derive(Default)]
pub(super) struct Masked {
    pub(super) text: Option<String>,
    filler: char,
    breaks: Vec<Range<usize>>,
    /// The comments that are hidden, in source order.
    pub(super) comments: Vec<Range<usize>>,
}

/// One byte each, without meaning inside quotes.
const FILLERS: [char; 12] = ['~', '^', '|', '`', ';', '<', '>', '+', '=', '@', '?', '#'];

impl Masked {
    /// Hides the line break (with the blanks around it) that ends at `at`; false where there is none.
    pub(super) fn hide_break(&mut self, text: &str, at: usize) -> bool {
        let before = text.get(..at).unwrap_or_default();
        let start = before.trim_end_matches([' ', '\t', '\r', '\n']).len();
        if !text.get(start..at).is_some_and(|gap| gap.contains('\n')) {
            return false;
        }
        if self.breaks.is_empty() {
            let Some(filler) = FILLERS.into_iter().find(|c| !text.contains(*c)) else {
                return false;
            };
            self.filler = filler;
        }
        let masked = self.text.get_or_insert_with(|| text.to_owned());
        let filler = self.filler.to_string().repeat(at - start);
        masked.replace_range(start..at, &filler);
        self.breaks.push(start..at);
        true
    }

    /// Hides the comment that begins at `at`, right behind a quote or bracket; false where there is none.
    pub(super) fn hide_comment(&mut self, text: &str, at: usize) -> bool {
        let (before, comment) = (text.get(..at), text.get(at..).unwrap_or_default());
        let closed = before.is_some_and(|before| before.ends_with(['"', '\'', ']', '}']));
        let len = comment.find(['\r', '\n']).unwrap_or(comment.len());
        if !closed || !comment.starts_with('#') {
            return false;
        }
        let masked = self.text.get_or_insert_with(|| text.to_owned());
        masked.replace_range(at..at + len, &" ".repeat(len));
        self.comments.push(at..at + len);
        true
    }

    /// A scalar's value with the fillers turned back.
    pub(super) fn restore(&self, value: &str, text: &str, range: &Range<usize>) -> Option<String> {
        if self.breaks.is_empty() || !value.contains(self.filler) {
            return None;
        }
        let mut breaks: Vec<_> = self
            .breaks
            .iter()
            .filter(|at| range.start <= at.start && at.end <= range.end)
            .collect();
        breaks.sort_by_key(|at| at.start);
        let mut out = String::new();
        let mut rest = value;
        for at in breaks {
            let (before, after) = rest.split_once(self.filler)?;
            let lines = text.get(at.clone())?.matches('\n').count();
            out.push_str(before);
            if lines == 1 {
                out.push(' ');
            } else {
                out.extend(std::iter::repeat_n('\n', lines - 1));
            }
            rest = after.trim_start_matches(self.filler);
        }
        out.push_str(rest);
        Some(out)
    }
}
