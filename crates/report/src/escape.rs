//! Escaping of texts for the formats that need it.
//!
//! Names come from inputs that anybody may write. Invariant: an escaped text cannot end the element
//! it stands in.

/// Data of a GitHub workflow command.
pub(crate) fn command_data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property of a GitHub workflow command.
pub(crate) fn command_property(text: &str) -> String {
    command_data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Text of XML; characters that XML 1.0 cannot hold are left out.
pub(crate) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

/// One line of Markdown outside code: names stay text, backticks keep their meaning.
pub(crate) fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut code = false;
    for c in text.chars() {
        match c {
            '`' => {
                code = !code;
                out.push(c);
            }
            '<' if !code => out.push_str("&lt;"),
            '*' | '_' | '[' | ']' | '|' | '#' | '\\' if !code => {
                out.push('\\');
                out.push(c);
            }
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    if code {
        out.push('`');
    }
    out
}

/// A relative path as URI reference: everything but unreserved characters and `/` in percent form.
pub(crate) fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out() {
        assert_eq!(command_data("a%\n::error::x"), "a%25%0A::error::x");
        assert_eq!(command_property("a:b,c"), "a%3Ab%2Cc");
        assert_eq!(xml("<a b=\"\u{1}&\">"), "&lt;a b=&quot;&amp;&quot;&gt;");
        assert_eq!(markdown("a*`b*`<c>"), "a\\*`b*`&lt;c>");
        assert_eq!(markdown("a`b"), "a`b`");
        assert_eq!(uri("a b/ü#.tf"), "a%20b/%C3%BC%23.tf");
    }
}
