//! Draws a sweep: the cost of each policy against its share of immediate answers.

use std::fmt::Write as _;
use std::time::Duration;

use super::PolicyResult;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 600.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 196.0;
const TOP: f64 = 106.0;
const BOTTOM: f64 = 68.0;

/// One colour for each TTL. The nine are as distinct for colour-blind eyes as possible.
const COLOURS: [&str; 9] = [
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#6b5b95", "#8c6d31",
    "#555555",
];

const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#24292f}\
.title{font-size:18px;font-weight:600}.note,.tick{fill:#57606a}.note{font-size:12px}\
.grid{stroke:#d8dee4}.axis{stroke:#57606a}.best{fill:none;stroke:#24292f;stroke-width:1.5;\
stroke-dasharray:5 4}.name{font-size:12px}";

/// Draws the policies of a sweep as SVG. The cost axis is logarithmic. A line joins the policies that no
/// other beats, and only these have their interval beside them.
#[must_use]
pub fn plot(rows: &[PolicyResult], title: &str) -> String {
    let points: Vec<Point> = rows.iter().map(Point::new).collect();
    let axes = Axes::around(&points);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
        title = escaped(title),
    );
    text(&mut svg, "title", LEFT, 36.0, "start", title);
    let note = "each point a policy: colour its TTL, label its interval; the dashed line joins those that no other beats";
    text(&mut svg, "note", LEFT, 58.0, "start", note);
    axes.draw(&mut svg);
    draw_frontier(&mut svg, &points, &axes);
    let ttls = ttls(&points);
    for point in &points {
        draw_point(&mut svg, point, &ttls, mixed(&points), &axes);
    }
    draw_names(&mut svg, &points, &axes);
    draw_legend(&mut svg, &ttls, mixed(&points));
    svg.push_str("</svg>\n");
    svg
}

struct Point {
    usd: f64,
    hits: f64,
    ttl: Duration,
    name: String,
    on_change: bool,
    is_best: bool,
}

impl Point {
    fn new(row: &PolicyResult) -> Self {
        let candidate = &row.outcome.candidate;
        Self {
            // A position in the picture, so precision does not matter.
            usd: (row.monthly.pico() as f64 / 1e12).max(1e-6),
            hits: row.outcome.hit_ratio() * 100.0,
            ttl: candidate.ttl,
            name: match &candidate.adaptive {
                Some(adaptive) => {
                    format!("{}–{}", shown(candidate.refresh_every), shown(adaptive.longest))
                }
                None => shown(candidate.refresh_every),
            },
            on_change: candidate.on_change,
            is_best: row.is_best,
        }
    }
}

/// Formats a time in its largest unit.
fn shown(duration: Duration) -> String {
    let secs = duration.as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    match units.into_iter().find(|(unit, _)| secs >= *unit && secs.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{}{name}", secs / unit),
        None => format!("{} ms", duration.as_millis()),
    }
}

/// Returns the range of percentages to show. It begins at zero, unless all points are far above.
fn spread(points: &[Point]) -> (f64, f64) {
    let hits = |pick: fn(f64, f64) -> f64, from| points.iter().map(|it| it.hits).fold(from, pick);
    let (least, most) = (hits(f64::min, 100.0), hits(f64::max, 0.0));
    let room = ((most - least) * 0.15).max(2.0);
    let bottom = if least > 50.0 { ((least - room) / 10.0).floor() * 10.0 } else { 0.0 };
    (bottom, (((most + room) / 10.0).ceil() * 10.0).clamp(bottom + 10.0, 100.0))
}

struct Axes {
    /// The logarithms of the smallest and the largest amount.
    low: f64,
    high: f64,
    /// The smallest and the largest percentage.
    bottom: f64,
    top: f64,
}

impl Axes {
    fn around(points: &[Point]) -> Self {
        let usd = |pick: fn(f64, f64) -> f64, from| {
            points.iter().map(|point| point.usd.log10()).fold(from, pick)
        };
        let (low, high) = (usd(f64::min, f64::INFINITY), usd(f64::max, f64::NEG_INFINITY));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        let margin = ((high - low) * 0.06).max(0.1);
        let (bottom, top) = spread(points);
        Self { low: low - margin, high: high + margin, bottom, top }
    }

    fn x(&self, usd: f64) -> f64 {
        let share = (usd.log10() - self.low) / (self.high - self.low);
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, hits: f64) -> f64 {
        HEIGHT - BOTTOM - (hits - self.bottom) / (self.top - self.bottom) * (HEIGHT - TOP - BOTTOM)
    }

    fn draw(&self, svg: &mut String) {
        let (right, floor) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let step = match self.top - self.bottom {
            shown if shown > 50.0 => 20,
            shown if shown > 20.0 => 10,
            shown if shown > 10.0 => 5,
            _ => 2,
        };
        for percent in (self.bottom as u32..=self.top as u32).step_by(step) {
            let y = self.y(percent.into());
            line(svg, "grid", (LEFT, y), (right, y));
            text(svg, "tick", LEFT - 10.0, y + 4.5, "end", &format!("{percent} %"));
        }
        for (usd, name) in self.dollars() {
            let x = self.x(usd);
            line(svg, "grid", (x, TOP), (x, floor));
            text(svg, "tick", x, floor + 20.0, "middle", &name);
        }
        line(svg, "axis", (LEFT, floor), (right, floor));
        line(svg, "axis", (LEFT, TOP), (LEFT, floor));
        text(svg, "", (LEFT + right) / 2.0, HEIGHT - 18.0, "middle", "cost on AWS, US$ a month");
        text(svg, "", LEFT - 50.0, TOP - 18.0, "start", "quotes answered at once");
    }

    /// Returns round amounts for the axis, with their labels.
    fn dollars(&self) -> Vec<(f64, String)> {
        let decades = (self.low.floor() as i32)..=(self.high.ceil() as i32);
        let steps: &[i32] = match self.high - self.low {
            shown if shown < 0.6 => &[1, 2, 3, 4, 5, 6, 8],
            shown if shown < 2.5 => &[1, 2, 5],
            _ => &[1],
        };
        let amounts = decades.flat_map(|exponent| {
            let decimals = usize::try_from(-exponent).map_or(0, |below| below.max(2));
            steps.iter().map(move |step| {
                let usd = f64::from(*step) * 10_f64.powi(exponent);
                (usd, format!("${usd:.decimals$}"))
            })
        });
        amounts.filter(|(usd, _)| (self.low..=self.high).contains(&usd.log10())).collect()
    }
}

fn ttls(points: &[Point]) -> Vec<Duration> {
    let mut ttls: Vec<Duration> = points.iter().map(|point| point.ttl).collect();
    ttls.sort_unstable();
    ttls.dedup();
    ttls
}

fn colour(ttl: Duration, ttls: &[Duration]) -> &'static str {
    let place = ttls.iter().position(|other| *other == ttl).unwrap_or(0);
    COLOURS[place % COLOURS.len()]
}

fn draw_point(svg: &mut String, point: &Point, ttls: &[Duration], is_mixed: bool, axes: &Axes) {
    let (x, y) = (axes.x(point.usd), axes.y(point.hits));
    let colour = colour(point.ttl, ttls);
    let radius = if point.is_best { 6.5 } else { 4.5 };
    let fill = if point.on_change || !is_mixed { colour } else { "#ffffff" };
    let _ = writeln!(
        svg,
        "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" fill=\"{fill}\" stroke=\"{colour}\" \
         stroke-width=\"2\"><title>TTL {}, every {}: ${:.2} a month, {:.1} % at once</title></circle>",
        shown(point.ttl),
        point.name,
        point.usd,
        point.hits,
    );
}

/// Draws the frontier with straight lines. Steps would claim more than was tried.
fn draw_frontier(svg: &mut String, points: &[Point], axes: &Axes) {
    let path: Vec<String> = best(points)
        .iter()
        .map(|point| format!("{:.1},{:.1}", axes.x(point.usd), axes.y(point.hits)))
        .collect();
    let _ = writeln!(svg, "<polyline class=\"best\" points=\"{}\"/>", path.join(" "));
}

fn best(points: &[Point]) -> Vec<&Point> {
    let mut best: Vec<&Point> = points.iter().filter(|point| point.is_best).collect();
    best.sort_by(|a, b| a.usd.total_cmp(&b.usd).then(a.hits.total_cmp(&b.hits)));
    best
}

/// Draws the names. A name that would cover the one before is left out; the point's tooltip shows it.
fn draw_names(svg: &mut String, points: &[Point], axes: &Axes) {
    let mut taken: Vec<(f64, f64)> = vec![];
    for point in best(points).into_iter().rev() {
        let (x, y) = (axes.x(point.usd) - 11.0, axes.y(point.hits) - 9.0);
        let is_free = |(other_x, other_y): &(f64, f64)| {
            (x - other_x).abs() > 34.0 || (y - other_y).abs() > 13.0
        };
        if taken.iter().all(is_free) {
            text(svg, "name", x, y, "end", &point.name);
            taken.push((x, y));
        }
    }
}

/// Whether some policies order tables on changes and others do not.
fn mixed(points: &[Point]) -> bool {
    let on_change = points.iter().filter(|point| point.on_change).count();
    on_change > 0 && on_change < points.len()
}

fn draw_legend(svg: &mut String, ttls: &[Duration], is_mixed: bool) {
    let x = WIDTH - RIGHT + 28.0;
    let mut y = TOP + 6.0;
    let mut entry = |svg: &mut String, fill: &str, stroke: &str, name: &str| {
        let _ = writeln!(
            svg,
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"5.5\" fill=\"{fill}\" stroke=\"{stroke}\" \
             stroke-width=\"2\"/>"
        );
        text(svg, "", x + 15.0, y + 4.5, "start", name);
        y += 23.0;
    };
    for ttl in ttls {
        let colour = colour(*ttl, ttls);
        entry(svg, colour, colour, &format!("TTL {}", shown(*ttl)));
    }
    if is_mixed {
        entry(svg, "#57606a", "#57606a", "also on change");
        entry(svg, "#ffffff", "#57606a", "schedule only");
    }
}

fn line(svg: &mut String, class: &str, from: (f64, f64), to: (f64, f64)) {
    let _ = writeln!(
        svg,
        "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(svg: &mut String, class: &str, x: f64, y: f64, anchor: &str, text: &str) {
    let text = escaped(text);
    let _ = writeln!(
        svg,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short_labels() {
        for (secs, label) in [(60, "1m"), (90, "90s"), (3600, "1h"), (86_400, "1d"), (5400, "90m")]
        {
            assert_eq!(shown(Duration::from_secs(secs)), label);
        }
    }

    #[test]
    fn a_picture_of_nothing_is_still_a_picture() {
        let svg = plot([].as_slice(), "a < b & c");
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("a &lt; b &amp; c") && !svg.contains("NaN"));
    }
}
