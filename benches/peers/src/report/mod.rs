//! Writes the page with all results. Each section measures something, and returns Markdown and charts.

pub mod cache;
mod chart;
mod cost;
mod machine;
mod pools;
pub mod served;
mod sizes;
mod swaps;
mod threads;
mod timing;

use std::{error::Error, fs, path::Path};

use self::chart::Chart;
use crate::{
    crypto::Crypto,
    subject::{Check, Subject, Work},
    world::World,
};

/// A part of the page.
pub struct Section {
    title: &'static str,
    text: String,
    charts: Vec<Chart>,
}

/// The scope of a report.
pub struct Scope {
    pub rounds: usize,
    pub crypto: Crypto,
    /// Whether to measure a million tokens, which takes several minutes.
    pub million: bool,
}

/// Returns the function of a subject.
fn call_of(subject: Subject) -> Result<Check, Box<dyn Error>> {
    match subject.work {
        Work::Call(call) => Ok(call),
        _ => Err("the subject is not a function".into()),
    }
}

/// Measures everything and writes `docs/performance.md` with its charts.
///
/// # Errors
/// Something could not be measured or written.
pub async fn write(world: &World, scope: &Scope) -> Result<(), Box<dyn Error>> {
    let mut sections = Vec::new();
    sections.extend(cost::sections(world, scope).await?);
    sections.push(sizes::section(world, scope)?);
    sections.push(threads::section(world).await?);
    sections.push(swaps::section(world).await?);
    sections.push(served::section()?);
    sections.push(pools::section(world, scope)?);
    sections.push(cache::section(world, scope).await?);
    sections.push(machine::build()?);

    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    fs::create_dir_all(&docs)?;
    let mut page = machine::head()?;
    for section in &sections {
        page += &format!("\n## {}\n\n{}", section.title, section.text);
        for chart in &section.charts {
            chart.draw(&docs.join(chart.file))?;
            page += &format!("\n![{}]({})\n", chart.title, chart.file);
        }
    }
    page += "\n[What was tried for speed](tried.md) is on a separate page.\n";
    fs::write(docs.join("performance.md"), page)?;
    Ok(())
}
