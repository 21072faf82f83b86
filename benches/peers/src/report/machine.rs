//! The machine and date of the measurement, and the cost of a build.

use std::{error::Error, fs, path::Path, process::Command, time::Instant};

use super::Section;
use crate::subject::version_of;

/// The head of the page.
pub fn head() -> Result<String, Box<dyn Error>> {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("an unknown processor", |(_, model)| model);
    let threads = std::thread::available_parallelism()?;
    Ok(format!(
        "# Performance\n\nMeasured on {} with {model} ({threads} hardware threads), {}, tower-cognito {}. \
         One command measures all of it and writes this page:\n\n```sh\ncargo run --release --manifest-path \
         benches/peers/Cargo.toml -- --write\n```\n\nTimes depend on the machine; the ratios in one table \
         were measured in the same rounds. `cargo bench` has the same paths for criterion, each beside its \
         baseline and limit. What guards them does not depend on time: `cargo bench --bench instructions` \
         and `cargo test --test memory`.\n",
        output("date", &["-u", "+%Y-%m-%d"])?,
        output("rustc", &["--version"])?,
        version_of("tower-cognito", ""),
    ))
}

/// Measures the build time of the crate, and counts its dependencies.
pub fn build() -> Result<Section, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let cargo = |arguments: &[&str]| -> Result<String, Box<dyn Error>> {
        let output = Command::new("cargo").args(arguments).current_dir(&root).output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        Ok(String::from_utf8(output.stdout)?)
    };
    let count = |arguments: &[&str]| -> Result<usize, Box<dyn Error>> {
        let tree = cargo(&[&["tree", "-e", "normal", "--prefix", "none"], arguments].concat())?;
        let mut crates: Vec<_> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
        crates.sort_unstable();
        crates.dedup();
        Ok(crates.len())
    };
    let mut times = Vec::new();
    for arguments in [&["build", "--lib"][..], &["build", "--lib", "--release"]] {
        cargo(arguments)?;
        cargo(
            &[&["clean", "--package", "tower-cognito"], arguments.get(2..).unwrap_or(&[])].concat(),
        )?;
        let start = Instant::now();
        cargo(arguments)?;
        times.push(start.elapsed().as_secs_f64());
    }
    let text = format!(
        "The crate itself builds in {:.1} s, and in {:.1} s with optimizations, its dependencies aside. The \
         default build takes {} crates, itself included; without key fetching {}.\n",
        times[0],
        times[1],
        count(&[])?,
        count(&["--no-default-features"])?,
    );
    Ok(Section { title: "The build", text, charts: Vec::new() })
}

/// Returns the resident memory of this process.
pub fn resident_bytes() -> Result<usize, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")).ok_or("no VmRSS")?;
    Ok(kibibytes.trim().parse::<usize>()? * 1024)
}

fn output(program: &str, arguments: &[&str]) -> Result<String, Box<dyn Error>> {
    let output = Command::new(program).args(arguments).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
