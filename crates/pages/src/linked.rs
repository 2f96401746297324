//! Text from outside, with its links made clickable and nothing else made of it.

use std::fmt;

use askama::filters::{Escaper, Html, HtmlSafe};
use linkify::{LinkFinder, LinkKind};

/// A text whose links, `http` and `https` only, are shown as such. It is markup already: everything in it is escaped.
#[derive(Debug, Clone, Copy)]
pub struct Linked<'a>(pub &'a str);

impl HtmlSafe for Linked<'_> {}

impl fmt::Display for Linked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut finder = LinkFinder::new();
        finder.kinds(&[LinkKind::Url]).url_must_have_scheme(true);
        for span in finder.spans(self.0) {
            let text = span.as_str();
            if span.kind().is_some() && is_web(text) {
                f.write_str(r#"<a target="_blank" rel="noopener noreferrer nofollow" href=""#)?;
                Html.write_escaped_str(&mut *f, text)?;
                f.write_str(r#"">"#)?;
                Html.write_escaped_str(&mut *f, text)?;
                f.write_str("</a>")?;
            } else {
                Html.write_escaped_str(&mut *f, text)?;
            }
        }
        f.write_str("")
    }
}

fn is_web(url: &str) -> bool {
    let (scheme, _) = url.split_once("://").unwrap_or_default();
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_web_become_links() {
        let link = |url: &str| {
            format!(r#"<a target="_blank" rel="noopener noreferrer nofollow" href="{url}">{url}</a>"#)
        };
        for (text, expected) in [
            ("no links", "no links".to_owned()),
            (
                "см. https://a.example/чек?n=1.",
                format!("см. {}.", link("https://a.example/чек?n=1")),
            ),
            ("HTTP://a.example", link("HTTP://a.example")),
            ("http://a.example/?a=1&b=2", link("http://a.example/?a=1&#38;b=2")),
            ("javascript:alert(1)", "javascript:alert(1)".to_owned()),
            (
                "javascript://a.example/%0aalert(1)",
                "javascript://a.example/%0aalert(1)".to_owned(),
            ),
            (
                "data:text/html,x ftp://a.example",
                "data:text/html,x ftp://a.example".to_owned(),
            ),
            ("a@b.example", "a@b.example".to_owned()),
        ] {
            assert_eq!(Linked(text).to_string(), expected);
        }
    }

    #[test]
    fn a_link_cannot_be_left_by_what_is_in_it() {
        for text in [
            r#"https://a.example/"onmouseover="alert(1)"#,
            "https://a.example/'><script>alert(1)</script>",
            "https://a.example/<img src=x onerror=alert(1)>",
        ] {
            let shown = Linked(text).to_string();
            let between = shown.split("</a>").last().unwrap_or_default();
            assert!(!between.contains('<'), "{shown}");
            assert_eq!(shown.matches('<').count(), 2, "{shown}");
            assert_eq!(shown.matches('"').count(), 6, "{shown}");
        }
    }
}
