//! Recipes: which files and options make S4 and TinyCC. The same for every host and every generation.

use super::hosts::Host;
use crate::sandbox::{self, Files};
use anyhow::{Context, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The upstream archive of Debian's source package `tcc`, version 0.9.27+git20200814.62c30a4a-1.
pub(crate) const TCC_ARCHIVE: &str = "tcc_0.9.27+git20200814.62c30a4a.orig.tar.bz2";

/// SHA-256 of that archive, as the package's .dsc states it.
const TCC_SHA256: &str = "d63c113bcdd657f51c8ee197a0b0a24203603313e19a52b5f678d40ab7f5df35";

/// TinyCC's configuration: what its `configure` would write, without anything of this machine.
const TCC_CONFIG: &str = "#define TCC_VERSION \"0.9.27\"\n";

/// One translation unit, static, for this processor, without the parts that need a C library's signal frames.
const TCC_DEFINES: [&str; 4] = [
    "CONFIG_TCC_STATIC",
    "CONFIG_TCCBOOT",
    "TCC_TARGET_X86_64",
    "ONE_SOURCE=1",
];

/// A program, and the milliseconds that building it took.
pub(crate) type Built = (Vec<u8>, u64);

/// A program to build: all its files, and how.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) files: Files,
    defines: Vec<String>,
    includes: Vec<String>,
    sources: Vec<String>,
    /// Assembly and run-time functions, for compilers other than S4.
    assembly: Vec<String>,
    run_time: Vec<String>,
}

/// Is it C, a header or assembly?
pub(crate) fn is_source(path: &Path) -> bool {
    path.extension()
        .is_some_and(|e| e == "c" || e == "h" || e == "S" || e == "def")
}

/// The files of L0, for every recipe.
fn libc(chain: &Path) -> anyhow::Result<Files> {
    let mut files = Files::default();
    files.read(&chain.join("L0"), Path::new("L0"), true, &is_source)?;
    Ok(files)
}

/// TinyCC's sources below `folder`: the compiler, its headers and its run-time functions.
fn tinycc(folder: &Path) -> anyhow::Result<Files> {
    let mut files = Files::default();
    files.read(folder, Path::new("tcc"), false, &is_source)?;
    for part in ["include", "lib"] {
        files.read(
            &folder.join(part),
            &Path::new("tcc").join(part),
            false,
            &is_source,
        )?;
    }
    files.add("config.h", TCC_CONFIG.as_bytes());
    Ok(files)
}

/// TinyCC's sources from the archive, whose hash is checked, or from a folder.
pub(crate) fn tinycc_sources(path: &Path) -> anyhow::Result<Files> {
    if path.is_dir() && !path.join(TCC_ARCHIVE).exists() {
        return tinycc(path);
    }
    let archive = if path.is_dir() {
        path.join(TCC_ARCHIVE)
    } else {
        path.to_owned()
    };
    let bytes = std::fs::read(&archive)
        .with_context(|| format!("input not obtainable: {}", archive.display()))?;
    let hash = seed_proof::lineage::sha256(&bytes);
    ensure!(
        hash == TCC_SHA256,
        "{}: its SHA-256 is {hash}, not {TCC_SHA256}",
        archive.display()
    );
    let folder = tempfile::Builder::new()
        .prefix("rootstock-tcc.")
        .tempdir()
        .context("a folder for TinyCC")?;
    let status = Command::new("tar")
        .arg("--extract")
        .arg("--bzip2")
        .arg("--file")
        .arg(&archive)
        .arg("--directory")
        .arg(folder.path())
        .status()
        .context("running tar")?;
    ensure!(status.success(), "tar cannot unpack {}", archive.display());
    tinycc(folder.path())
}

/// S4 and L0; TinyCC's run-time functions are only for the host tcc.
pub(crate) fn s4(chain: &Path, tcc: &Files) -> anyhow::Result<Recipe> {
    let mut files = libc(chain)?;
    files.read(&chain.join("S4"), Path::new("S4"), false, &is_source)?;
    let mut sources = vec!["S4/host.c".to_owned()];
    sources.extend(files.with_extension("L0", "c"));
    Ok(with_run_time(
        Recipe {
            files,
            defines: Vec::new(),
            includes: vec!["L0/include".to_owned()],
            sources,
            assembly: vec!["L0/amd64.S".to_owned()],
            run_time: Vec::new(),
        },
        tcc,
    ))
}

/// TinyCC and L0.
pub(crate) fn tcc(chain: &Path, tcc: &Files) -> anyhow::Result<Recipe> {
    let files = libc(chain)?;
    let mut sources = vec!["tcc/tcc.c".to_owned()];
    sources.extend(files.with_extension("L0", "c"));
    Ok(with_run_time(
        Recipe {
            files,
            defines: TCC_DEFINES
                .iter()
                .map(|define| format!("-D{define}"))
                .collect(),
            includes: [".", "tcc", "L0/include", "tcc/include"]
                .map(str::to_owned)
                .to_vec(),
            sources,
            assembly: vec!["L0/amd64.S".to_owned()],
            run_time: Vec::new(),
        },
        tcc,
    ))
}

/// A program of one file, called `name`, and L0.
pub(crate) fn program(chain: &Path, name: &str, program: &str) -> anyhow::Result<Recipe> {
    let mut files = libc(chain)?;
    files.add(name, program.as_bytes());
    let mut sources = vec![name.to_owned()];
    sources.extend(files.with_extension("L0", "c"));
    Ok(Recipe {
        files,
        defines: Vec::new(),
        includes: vec!["L0/include".to_owned()],
        sources,
        assembly: vec!["L0/amd64.S".to_owned()],
        run_time: Vec::new(),
    })
}

/// Adds TinyCC's run-time functions, for hosts whose code calls them.
pub(crate) fn with_run_time(mut recipe: Recipe, tcc: &Files) -> Recipe {
    recipe.files.extend(tcc);
    recipe.run_time = ["tcc/lib/libtcc1.c", "tcc/lib/va_list.c"]
        .map(str::to_owned)
        .to_vec();
    recipe
}

impl Recipe {
    fn options(&self) -> Vec<String> {
        let includes = self.includes.iter().map(|folder| format!("-I{folder}"));
        self.defines.iter().cloned().chain(includes).collect()
    }

    /// Built by a compiler of this machine.
    pub(crate) fn by_host(&self, host: &Host) -> anyhow::Result<Built> {
        let sources: Vec<String> = self.sources.iter().chain(&self.assembly).cloned().collect();
        host.build(&self.files, &self.options(), &sources, &self.run_time)
    }

    /// Built by S4, in a sandbox.
    pub(crate) fn by_s4(&self, s4: &[u8]) -> anyhow::Result<Built> {
        let mut arguments = vec!["-o".to_owned(), "result".to_owned()];
        arguments.extend(self.options());
        arguments.extend(self.sources.iter().cloned());
        self.in_sandbox(s4, &arguments)
    }

    /// Built by TinyCC, in a sandbox.
    pub(crate) fn by_tcc(&self, tcc: &[u8]) -> anyhow::Result<Built> {
        let mut arguments: Vec<String> =
            ["-w", "-nostdlib", "-nostdinc", "-static", "-o", "result"]
                .map(str::to_owned)
                .to_vec();
        arguments.extend(self.options());
        arguments.extend(
            self.sources
                .iter()
                .chain(&self.assembly)
                .chain(&self.run_time)
                .cloned(),
        );
        self.in_sandbox(tcc, &arguments)
    }

    /// Each source as an object file, which has symbols, by TinyCC in a sandbox.
    pub(crate) fn objects_by_tcc(&self, tcc: &[u8]) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        let object = |source: &String| {
            let mut arguments = ["-w", "-nostdinc", "-c", "-o", "result"]
                .map(str::to_owned)
                .to_vec();
            arguments.extend(self.options());
            arguments.push(source.clone());
            Ok((source.clone(), self.in_sandbox(tcc, &arguments)?.0))
        };
        self.sources.iter().map(object).collect()
    }

    fn in_sandbox(&self, program: &[u8], arguments: &[String]) -> anyhow::Result<Built> {
        let outcome = sandbox::run(program, arguments, &self.files, Some("result"))?;
        let said = String::from_utf8_lossy(&outcome.stderr).into_owned()
            + &String::from_utf8_lossy(&outcome.stdout);
        ensure!(
            outcome.status == 0,
            "status {}: {}",
            outcome.status,
            said.trim()
        );
        let bytes = outcome.output.context("it wrote no result")?;
        Ok((bytes, outcome.time.as_millis() as u64))
    }
}

/// Where the chain's sources are: given, or found upwards from the working directory.
pub(crate) fn chain(given: Option<&PathBuf>) -> anyhow::Result<PathBuf> {
    if let Some(path) = given {
        return Ok(path.clone());
    }
    let here = std::env::current_dir().context("the working directory")?;
    here.ancestors()
        .map(|folder| folder.join("bootstrap/amd64"))
        .find(|folder| folder.join("S4").is_dir())
        .context("no bootstrap/amd64 above the working directory; name it with --chain")
}
