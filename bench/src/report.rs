//! What was measured, as a table of text and as a picture.

use std::fmt::Write as _;

/// A line: what Prilavok reaches of the bar beside it.
pub struct Line {
    /// What was measured.
    pub name: String,
    /// What both sides reached, and in what unit.
    pub figures: String,
    /// Prilavok over the bar, for each round.
    pub ratios: Vec<f64>,
    /// What it is to be, and whether that is the most or the least.
    pub wanted: Wanted,
}

/// What a ratio is to be.
#[derive(Clone, Copy)]
pub enum Wanted {
    /// So much or more.
    AtLeast(f64),
    /// So much or less.
    AtMost(f64),
    /// Shown beside the others.
    Nothing,
}

impl Line {
    /// The median of the rounds.
    pub fn median(&self) -> f64 {
        median(&self.ratios)
    }

    fn spread(&self) -> (f64, f64) {
        let ends = (f64::INFINITY, f64::NEG_INFINITY);
        self.ratios
            .iter()
            .fold(ends, |(low, high), one| (low.min(*one), high.max(*one)))
    }

    fn wanted(&self) -> String {
        match self.wanted {
            Wanted::AtLeast(least) => format!("≥ {least:.2}"),
            Wanted::AtMost(most) => format!("≤ {most:.2}"),
            Wanted::Nothing => String::new(),
        }
    }

    fn is_reached(&self) -> Option<bool> {
        match self.wanted {
            Wanted::AtLeast(least) => Some(self.median() >= least),
            Wanted::AtMost(most) => Some(self.median() <= most),
            Wanted::Nothing => None,
        }
    }

    fn mark(&self) -> &'static str {
        match self.is_reached() {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "",
        }
    }
}

/// The middle one.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The table, in Markdown, which is readable as it is.
pub fn table(lines: &[Line], machine: &str) -> String {
    let mut text = format!(
        "{machine}\n\n| what | ratio | spread | wanted | reached | figures |\n|---|---|---|---|---|---|\n"
    );
    for line in lines {
        let (low, high) = line.spread();
        // Writing into a text does not fail.
        let _ = writeln!(
            text,
            "| {} | {:.2} | {low:.2}–{high:.2} | {} | {} | {} |",
            line.name,
            line.median(),
            line.wanted(),
            line.mark(),
            line.figures
        );
    }
    text
}

/// Bars beside the bar, as SVG, in colours of the reader's theme.
pub fn picture(lines: &[Line], machine: &str) -> String {
    const LEFT: f64 = 330.0;
    const SCALE: f64 = 300.0;
    const ROW: f64 = 26.0;
    let shown: Vec<_> = lines
        .iter()
        .filter(|line| matches!(line.wanted, Wanted::AtLeast(_)))
        .collect();
    let height = 64.0 + ROW * f64::from(u32::try_from(shown.len()).unwrap_or_default());
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 {height}\" role=\"img\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\">
<title>What Prilavok reaches of the machine's limit</title>
<style>
text {{ fill: #1f2328 }} .bar {{ fill: #0969da }} .line {{ stroke: #59636e }} .wanted {{ stroke: #bc4c00 }}
@media (prefers-color-scheme: dark) {{
  text {{ fill: #f0f6fc }} .bar {{ fill: #4493f8 }} .line {{ stroke: #9198a1 }} .wanted {{ stroke: #f0883e }}
}}
</style>
"
    );
    let full = LEFT + SCALE;
    let _ = writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"16\">0</text><text x=\"{full}\" y=\"16\" text-anchor=\"end\">the bar: 1.0</text>"
    );
    for (row, line) in (0_u32..).zip(&shown) {
        let top = 26.0 + ROW * f64::from(row);
        let (width, text_at) = (SCALE * line.median().min(1.3), top + 14.0);
        let Wanted::AtLeast(wanted) = line.wanted else {
            continue;
        };
        let at = LEFT + SCALE * wanted;
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{text_at}\" text-anchor=\"end\">{}</text>\
             <rect class=\"bar\" x=\"{LEFT}\" y=\"{top}\" width=\"{width:.0}\" height=\"18\" rx=\"3\"/>\
             <line class=\"wanted\" x1=\"{at:.0}\" x2=\"{at:.0}\" y1=\"{top}\" y2=\"{}\" stroke-width=\"2\"/>\
             <text x=\"{:.0}\" y=\"{text_at}\">{:.2}</text>",
            LEFT - 10.0,
            line.name,
            top + 18.0,
            LEFT + width.max(SCALE * wanted) + 8.0,
            line.median()
        );
    }
    let _ = write!(
        svg,
        "<line class=\"line\" x1=\"{full}\" x2=\"{full}\" y1=\"22\" y2=\"{}\" stroke-dasharray=\"3\"/>
<text x=\"10\" y=\"{}\" font-size=\"11\">{machine}; the mark is what is wanted</text>
</svg>
",
        height - 36.0,
        height - 12.0
    );
    svg
}
