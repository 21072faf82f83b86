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
         One command measures everything and writes this page:\n\n```sh\ncargo run --release --manifest-path \
         benches/peers/Cargo.toml -- --write\n```\n\n\"Warm\" is a token in the cache of verified tokens; \
         \"cold\" is a token that is not in it. The limit is the RSA signature check alone, with the key and the \
         token parsed in advance. Times depend on the machine. The ratios in one table were measured in the same \
         rounds.\n\n`cargo bench` measures the same paths with criterion. Two tests detect regressions without \
         measuring time: `cargo bench --bench instructions` counts instructions, and `cargo test --test memory` \
         counts allocations.\n",
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
        let tree = cargo(
            &[&["tree", "-p", "tower-cognito", "-e", "normal", "--prefix", "none"], arguments]
                .concat(),
        )?;
        let mut crates: Vec<_> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
        crates.sort_unstable();
        crates.dedup();
        Ok(crates.len())
    };
    let mut times = Vec::new();
    for arguments in [
        &["build", "-p", "tower-cognito", "--lib"][..],
        &["build", "-p", "tower-cognito", "--lib", "--release"],
    ] {
        cargo(arguments)?;
        cargo(
            &[&["clean", "--package", "tower-cognito"], arguments.get(4..).unwrap_or(&[])].concat(),
        )?;
        let start = Instant::now();
        cargo(arguments)?;
        times.push(start.elapsed().as_secs_f64());
    }
    let text = format!(
        "Without its dependencies, the crate builds in {:.1} s, and in {:.1} s with optimizations. The default build \
         takes {} crates, including this one; without key fetching it takes {}.\n",
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
