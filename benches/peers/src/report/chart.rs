//! Charts as SVG, drawn with plotters.

use std::{error::Error, path::Path};

use plotters::prelude::*;

pub struct Chart {
    pub file: &'static str,
    pub title: &'static str,
    pub unit: &'static str,
    pub kind: Kind,
}

pub enum Kind {
    /// A bar for each name.
    Bars(Vec<(String, f64)>),
    /// A line for each name through its points, with the label of the x axis.
    Lines { over: &'static str, lines: Vec<(String, Vec<(f64, f64)>)> },
}

const WIDTH: u32 = 760;
const FONT: &str = "sans-serif";
const COLORS: [RGBColor; 4] =
    [RGBColor(31, 119, 180), RGBColor(214, 39, 40), RGBColor(44, 160, 44), RGBColor(120, 120, 120)];

impl Chart {
    /// # Errors
    /// The file cannot be written.
    pub fn draw(&self, path: &Path) -> Result<(), Box<dyn Error>> {
        match &self.kind {
            Kind::Bars(bars) => self.draw_bars(bars, path),
            Kind::Lines { over, lines } => self.draw_lines(over, lines, path),
        }
    }

    /// Draws names above their bars, so that long names fit.
    fn draw_bars(&self, bars: &[(String, f64)], path: &Path) -> Result<(), Box<dyn Error>> {
        const ROW: i32 = 34;
        let height = 50 + ROW * i32::try_from(bars.len())?;
        let root = SVGBackend::new(path, (WIDTH, u32::try_from(height)?)).into_drawing_area();
        root.fill(&WHITE)?;
        let title = format!("{} ({})", self.title, self.unit);
        root.draw(&Text::new(title, (10, 8), (FONT, 17)))?;
        let longest = bars.iter().map(|(_, value)| *value).fold(f64::MIN_POSITIVE, f64::max);
        let room = f64::from(WIDTH) - 110.0;
        for (row, (name, value)) in bars.iter().enumerate() {
            let top = 42 + ROW * i32::try_from(row)?;
            let end = 10 + (value / longest * room).max(1.0) as i32;
            let color = if name.starts_with("tower-cognito") { COLORS[0] } else { COLORS[3] };
            root.draw(&Text::new(name.clone(), (10, top), (FONT, 12)))?;
            root.draw(&Rectangle::new([(10, top + 15), (end, top + 27)], color.filled()))?;
            let value = if *value < 10.0 { format!("{value:.2}") } else { format!("{value:.1}") };
            root.draw(&Text::new(value, (end + 6, top + 14), (FONT, 13)))?;
        }
        root.present()?;
        Ok(())
    }

    fn draw_lines(
        &self,
        over: &str,
        lines: &[(String, Vec<(f64, f64)>)],
        path: &Path,
    ) -> Result<(), Box<dyn Error>> {
        let root = SVGBackend::new(path, (WIDTH, 380)).into_drawing_area();
        root.fill(&WHITE)?;
        let points = || lines.iter().flat_map(|(_, points)| points);
        let widest = points().map(|point| point.0).fold(0.0, f64::max) * 1.05;
        let highest = points().map(|point| point.1).fold(0.0, f64::max) * 1.1;
        let mut chart = ChartBuilder::on(&root)
            .caption(format!("{} ({})", self.title, self.unit), (FONT, 17))
            .margin(12)
            .x_label_area_size(42)
            .y_label_area_size(58)
            .build_cartesian_2d(0.0..widest, 0.0..highest)?;
        chart.configure_mesh().x_desc(over).y_desc(self.unit).light_line_style(WHITE).draw()?;
        for ((name, points), color) in lines.iter().zip(COLORS.iter().cycle()) {
            let style = color.stroke_width(2);
            chart
                .draw_series(LineSeries::new(points.iter().copied(), style))?
                .label(name.as_str())
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
            chart.draw_series(points.iter().map(|point| Circle::new(*point, 3, color.filled())))?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE)
            .border_style(COLORS[3])
            .draw()?;
        root.present()?;
        Ok(())
    }
}
