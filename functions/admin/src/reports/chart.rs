//! Bars as SVG. The same numbers are in a table beside it, so what a reader without the picture hears is its title.

use maud::{Markup, html};

/// Above so many bars the pointer has no text for each, to keep the page small.
const MOST_TEXTS: usize = 100;
const HEIGHT: i64 = 120;
/// Of a bar with the gap beside it, in units of the picture, which is stretched to the width of the page.
const STEP: i64 = 10;

/// One bar: what it is called, its height, and what that is in words.
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: i64,
    pub(super) words: String,
}

/// A chart with a title and a sentence on it. Nothing if there is nothing to see.
pub(super) fn bars(key: &str, title: &str, description: &str, bars: &[Bar]) -> Markup {
    let highest = bars.iter().map(|bar| bar.value).max().unwrap_or_default().max(0);
    let lowest = bars.iter().map(|bar| bar.value).min().unwrap_or_default().min(0);
    let (Some(first), Some(last)) = (bars.first(), bars.last()) else { return html! {} };
    if highest == lowest {
        return html! {};
    }
    let scale = |value: i64| scaled(value, highest - lowest);
    let ground = scale(highest);
    let width = i64::try_from(bars.len()).unwrap_or(1) * STEP;
    let most = bars.iter().max_by_key(|bar| bar.value).map(|bar| bar.words.as_str()).unwrap_or_default();
    html! {
        figure.chart {
            figcaption { (title) span { "most: " (most) } }
            svg role="img" aria-labelledby=(format!("chart-{key} chart-{key}-text")) viewBox=(format!("0 0 {width} {HEIGHT}")) preserveAspectRatio="none" {
                title id=(format!("chart-{key}")) { (title) }
                desc id=(format!("chart-{key}-text")) { (description) }
                @for (place, bar) in (0_i64..).zip(bars) {
                    @let height = scale(bar.value.abs());
                    rect x=(place * STEP + 1) y=(if bar.value < 0 { ground } else { ground - height }) width=(STEP - 2) height=(height) {
                        @if bars.len() <= MOST_TEXTS { title { (bar.label) ": " (bar.words) } }
                    }
                }
            }
            p { span { (first.label) } span { (last.label) } }
        }
    }
}

fn scaled(value: i64, range: i64) -> i64 {
    i64::try_from(i128::from(value) * i128::from(HEIGHT) / i128::from(range.max(1))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(value: i64) -> Bar {
        Bar { label: format!("day {value}"), value, words: value.to_string() }
    }

    #[test]
    fn the_highest_bar_is_as_high_as_the_chart_and_one_below_zero_hangs() {
        let chart = bars("x", "Jobs", "Jobs by day", &[bar(3), bar(-1)]).into_string();
        assert!(chart.contains(r#"<rect x="1" y="0" width="8" height="90">"#), "{chart}");
        assert!(chart.contains(r#"<rect x="11" y="90" width="8" height="30">"#), "{chart}");
        assert!(!chart.contains("style"), "{chart}");
    }

    #[test]
    fn without_a_number_there_is_no_chart() {
        assert_eq!(bars("x", "Jobs", "", &[bar(0), bar(0)]).into_string(), "");
        assert_eq!(bars("x", "Jobs", "", &[]).into_string(), "");
    }
}
