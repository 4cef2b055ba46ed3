//! Paths as one page that a browser opens: a picture and the steps, no script, nothing fetched.
//!
//! Invariant: every text of the input is escaped; the page holds no address of another host.

use super::Asked;
use super::picture::Picture;
use overgrant_access::graph::{Explained, Node};
use overgrant_policy::Answer;
use std::fmt::Write as _;

const WIDTH: usize = 230;
const HEIGHT: usize = 46;
const GAP_X: usize = 190;
const GAP_Y: usize = 26;
/// Letters of a name that fit into a box.
const LETTERS: usize = 34;

const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:1200px;padding:0 1rem;color:#1c2430;background:#fff}\
h1{font-size:1.4rem}h2{font-size:1.05rem;margin:1.6rem 0 .3rem}code{background:#eef1f5;border-radius:3px;padding:0 .25em}\
svg{max-width:100%;height:auto;border:1px solid #d5dbe3;border-radius:6px;background:#fbfcfd}\
ol{margin:.2rem 0 0}li{margin:.35rem 0}.rights,.breaks,.depends{color:#4b5768;font-size:.9em;display:block}\
.maybe{color:#8a5a00}.sure{color:#a3132b}";

/// The page.
#[must_use]
pub fn paths_html(asked: &Asked<'_>, paths: &[Explained]) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Escalation paths</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>Escalation paths</h1>\n<p>{} found. Solid lines are certain, \
         dashed ones depend on something.</p>\n",
        match paths.len() {
            1 => "1 path".to_owned(),
            count => format!("{count} paths"),
        }
    );
    page.push_str(&svg(&Picture::new(asked, paths)));
    for path in paths {
        let (class, word) = match path.answer {
            Answer::Must => ("sure", "can become"),
            _ => ("maybe", "may become"),
        };
        let _ = writeln!(
            page,
            "<h2>{} <span class=\"{class}\">{word}</span> {}</h2>\n<ol>",
            rich(&path.from),
            rich(&path.to)
        );
        for step in &path.steps {
            let row = step
                .path
                .map_or_else(String::new, |id| format!(" <code>{id}</code>"));
            let _ = write!(page, "<li>{}{row}", rich(&step.text));
            for right in &step.rights {
                let _ = write!(
                    page,
                    "<span class=\"rights\"><code>{}</code> by {}{}</span>",
                    escape(&right.action),
                    rich(&right.from),
                    escape(&asked.at(right.place.as_ref()))
                );
            }
            for one in &step.depends {
                let _ = write!(
                    page,
                    "<span class=\"depends\">depends on {}</span>",
                    rich(one)
                );
            }
            if !step.breaks.is_empty() {
                let _ = write!(
                    page,
                    "<span class=\"breaks\">any of these breaks it: {}</span>",
                    rich(&step.breaks.join("; "))
                );
            }
            page.push_str("</li>\n");
        }
        page.push_str("</ol>\n");
    }
    page.push_str("</body>\n</html>\n");
    page
}

/// Columns by distance from the starts, rows in the order of appearance.
fn svg(picture: &Picture) -> String {
    let count = picture.nodes.len();
    let mut column = vec![0_usize; count];
    // Each round can move a node one column on; a cycle stops at the number of nodes.
    for _ in 0..count.min(16) {
        for (from, to, _, _, _) in &picture.edges {
            let next = column.get(*from).copied().unwrap_or(0) + 1;
            if let Some(at) = column.get_mut(*to)
                && *at < next
                && next < 16
            {
                *at = next;
            }
        }
    }
    let last = column.iter().copied().max().unwrap_or(0);
    for (at, (node, _, _)) in picture.nodes.iter().enumerate() {
        if *node == Node::Admin
            && let Some(column) = column.get_mut(at)
        {
            *column = last;
        }
    }
    let mut rows = vec![0_usize; last + 1];
    let places: Vec<(usize, usize)> = column
        .iter()
        .map(|column| {
            let row = rows.get_mut(*column).map_or(0, |row| {
                *row += 1;
                *row - 1
            });
            (20 + column * (WIDTH + GAP_X), 20 + row * (HEIGHT + GAP_Y))
        })
        .collect();
    let tall = rows.iter().copied().max().unwrap_or(0);
    let width = 40 + (last + 1) * WIDTH + last * GAP_X;
    let height = 40 + tall * (HEIGHT + GAP_Y);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {width} {height}\" width=\"{width}\" role=\"img\" aria-label=\"Escalation paths\">\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">\
         <path d=\"M0 0 8 4 0 8z\" fill=\"#5a6675\"/></marker></defs>\n"
    );
    for (from, to, kind, row, sure) in &picture.edges {
        let (Some(a), Some(b)) = (places.get(*from), places.get(*to)) else {
            continue;
        };
        let (x1, y1) = (a.0 + WIDTH, a.1 + HEIGHT / 2);
        let (x2, y2) = (b.0, b.1 + HEIGHT / 2);
        let dash = if *sure {
            ""
        } else {
            " stroke-dasharray=\"6 4\""
        };
        let middle = usize::midpoint(x1, x2);
        let _ = writeln!(
            svg,
            "<path d=\"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}\" fill=\"none\" stroke=\"#5a6675\" \
             marker-end=\"url(#tip)\"{dash}><title>{}</title></path>\n<text x=\"{middle}\" y=\"{}\" font-size=\"11\" \
             text-anchor=\"middle\" fill=\"#4b5768\" font-family=\"sans-serif\">{}</text>",
            kind.as_str(),
            usize::midpoint(y1, y2).saturating_sub(5),
            escape(row)
        );
    }
    for ((node, kind, name), (x, y)) in picture.nodes.iter().zip(&places) {
        let color = match node {
            Node::Admin => "#fbe3e7",
            Node::Entry(_) => "#fdf3dc",
            Node::Workload(_) => "#e6f2ea",
            _ => "#e8eefb",
        };
        let short: String = if name.chars().count() > LETTERS {
            let tail: Vec<char> = name.chars().rev().take(LETTERS - 1).collect();
            format!("…{}", tail.into_iter().rev().collect::<String>())
        } else {
            name.clone()
        };
        let center = x + WIDTH / 2;
        let _ = writeln!(
            svg,
            "<g><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"6\" fill=\"{color}\" \
             stroke=\"#8b97a8\"/><text x=\"{center}\" y=\"{}\" font-size=\"11\" text-anchor=\"middle\" fill=\"#4b5768\" \
             font-family=\"sans-serif\">{}</text><text x=\"{center}\" y=\"{}\" font-size=\"12\" text-anchor=\"middle\" \
             fill=\"#1c2430\" font-family=\"sans-serif\">{}</text></g>",
            escape(name),
            y + 18,
            escape(kind),
            y + 35,
            escape(&short)
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Escaped, with `backticks` as code.
fn rich(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in escape(text).split('`').enumerate() {
        if at % 2 == 1 {
            let _ = write!(out, "<code>{part}</code>");
        } else {
            out.push_str(part);
        }
    }
    out
}
