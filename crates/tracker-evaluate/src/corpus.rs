//! Records from files of one JSON document a line, joined to vulnerabilities, with what matching needs of them.
//!
//! Invariant: documents are read on all cores, and the result does not depend on how many there are.

use crate::error::EvaluateError;
use crate::truth;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;
use tracker_inventory::{Inventory, Nixpkgs, Package};
use tracker_match::claim::MAX_REFERENCES;
use tracker_record::record::Source;
use tracker_record::{Record, Vulnerability, public_ids, read_document};

/// Longest text that is kept of a description, in bytes.
const MAX_TEXT: usize = 1200;

/// Largest zstd window that is accepted, as a power of two.
const WINDOW_LOG: u32 = 27;

/// Lines handed to a worker at once.
const BATCH: usize = 256;

/// All vulnerabilities, by id, and what was not read.
#[derive(Debug, Default)]
pub struct Corpus {
    /// In order of id.
    pub vulnerabilities: Vec<Vulnerability>,
    /// Lines read.
    pub documents: usize,
    /// Lines that are no record.
    pub rejected: usize,
}

impl Corpus {
    /// Reads files, and the `*.jsonl` and `*.jsonl.zst` files of folders (streams of changes, `replay-*`, aside).
    pub fn read(paths: &[PathBuf]) -> Result<Self, EvaluateError> {
        let mut corpus = Corpus::default();
        let records = Mutex::new(Vec::new());
        for file in &files(paths)? {
            read_file(file, &mut corpus, &|_, record| {
                let ids = public_ids(&record);
                let read = ids.into_iter().map(|id| (id, record.clone()));
                if let Ok(mut records) = records.lock() {
                    records.extend(read);
                }
                Ok(())
            })?;
        }
        corpus.join(records.into_inner().unwrap_or_default());
        Ok(corpus)
    }

    /// Reads the same a part at a time, so that no more than a part is in memory: what `each` is given are the
    /// vulnerabilities of about one in `parts` ids. Documents are laid by id into files of a temporary folder first.
    pub fn in_parts(
        paths: &[PathBuf],
        parts: usize,
        mut each: impl FnMut(Corpus),
    ) -> Result<(), EvaluateError> {
        let at = |source| EvaluateError::File {
            path: std::env::temp_dir(),
            source,
        };
        let parts = parts.max(1);
        let part_of = |id: &str| usize::from(truth::shuffled(id)) % parts;
        let folder = tempfile::tempdir().map_err(at)?;
        let path_of = |part: usize| folder.path().join(format!("{part}.jsonl"));
        let laid = (0..parts)
            .map(|part| File::create(path_of(part)).map(|file| Mutex::new(BufWriter::new(file))))
            .collect::<Result<Vec<_>, _>>()
            .map_err(at)?;
        for file in &files(paths)? {
            read_file(file, &mut Corpus::default(), &|line, record| {
                let mut of: Vec<usize> = public_ids(&record).iter().map(|id| part_of(id)).collect();
                of.sort_unstable();
                of.dedup();
                for part in of {
                    if let Ok(mut file) = laid[part].lock() {
                        file.write_all(line)?;
                        file.write_all(if line.ends_with(b"\n") { b"" } else { b"\n" })?;
                    }
                }
                Ok(())
            })?;
        }
        for (part, file) in laid.into_iter().enumerate() {
            if let Ok(mut file) = file.into_inner() {
                file.flush().map_err(at)?;
            }
            let mut corpus = Corpus::read(&[path_of(part)])?;
            corpus.vulnerabilities.retain(|v| part_of(&v.id) == part);
            each(corpus);
        }
        Ok(())
    }

    /// Joins records, each with its public id, to vulnerabilities in order of id.
    fn join(&mut self, mut records: Vec<(String, Record)>) {
        // A stable order whatever worker was faster.
        records.sort_by(|a, b| {
            (&a.0, a.1.source, &a.1.id, a.1.modified).cmp(&(
                &b.0,
                b.1.source,
                &b.1.id,
                b.1.modified,
            ))
        });
        let mut rest = records.into_iter().peekable();
        while let Some((id, record)) = rest.next() {
            let mut group = vec![record];
            while let Some((_, record)) = rest.next_if(|(next, _)| *next == id) {
                group.push(record);
            }
            self.vulnerabilities.push(Vulnerability::merge(id, group));
        }
    }

    /// A vulnerability by its id.
    pub fn get(&self, id: &str) -> Option<&Vulnerability> {
        self.vulnerabilities
            .binary_search_by(|v| v.id.as_str().cmp(id))
            .ok()
            .map(|index| &self.vulnerabilities[index])
    }
}

/// Reads a package list, whatever it is compressed with.
pub fn read_packages(path: &Path) -> Result<Vec<Package>, EvaluateError> {
    let at = |source| EvaluateError::File {
        path: path.to_owned(),
        source,
    };
    let mut input = tracker_inventory::open(File::open(path).map_err(at)?).map_err(at)?;
    let (_, packages) = Nixpkgs
        .read_all(&mut input)
        .map_err(|source| EvaluateError::Packages {
            path: path.to_owned(),
            source,
        })?;
    Ok(packages)
}

/// Opens a file, decompressing it if its name says so.
pub(crate) fn open(path: &Path) -> Result<Box<dyn BufRead>, EvaluateError> {
    let at = |source| EvaluateError::File {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(at)?;
    if path.extension().is_some_and(|extension| extension == "zst") {
        let mut decoder = zstd::Decoder::new(file).map_err(at)?;
        decoder.window_log_max(WINDOW_LOG).map_err(at)?;
        return Ok(Box::new(BufReader::with_capacity(1 << 20, decoder)));
    }
    Ok(Box::new(BufReader::with_capacity(1 << 20, file)))
}

/// The files that some paths name, in order.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, EvaluateError> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, &mut files)?;
    }
    files.sort();
    Ok(files)
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), EvaluateError> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = std::fs::read_dir(path).map_err(|source| EvaluateError::File {
        path: path.to_owned(),
        source,
    })?;
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let plain = name.strip_suffix(".zst").unwrap_or(&name);
        let wanted = Path::new(plain)
            .extension()
            .is_some_and(|ext| ext == "jsonl");
        if path.is_dir() || (wanted && !name.starts_with("replay-")) {
            collect(&path, files)?;
        }
    }
    Ok(())
}

/// Reads one file's documents on all cores and hands each to `visit` as its line and what was read.
fn read_file(
    path: &Path,
    corpus: &mut Corpus,
    visit: &(impl Fn(&[u8], Record) -> std::io::Result<()> + Sync),
) -> Result<(), EvaluateError> {
    let mut input = open(path)?;
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let (sender, receiver) = sync_channel::<Vec<Vec<u8>>>(workers * 2);
    let receiver = Mutex::new(receiver);
    let outcome = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers)
            .map(|_| {
                scope.spawn(|| {
                    let (mut rejected, mut failed) = (0_usize, None);
                    loop {
                        let batch = match receiver.lock() {
                            Ok(receiver) => receiver.recv(),
                            Err(_) => break,
                        };
                        let Ok(batch) = batch else { break };
                        for line in batch {
                            match read_document(&line) {
                                // The first failure is kept; the rest is taken all the same, or the reader would wait.
                                Ok(reading) if failed.is_none() => {
                                    failed = visit(&line, trim(reading.record)).err();
                                }
                                Ok(_) => {}
                                Err(_) => rejected += 1,
                            }
                        }
                    }
                    failed.map_or(Ok(rejected), Err)
                })
            })
            .collect();
        let mut batch = Vec::with_capacity(BATCH);
        let result = loop {
            let mut line = Vec::new();
            match (&mut input).take(64 << 20).read_until(b'\n', &mut line) {
                Ok(0) => break Ok(()),
                Ok(_) => {
                    corpus.documents += 1;
                    batch.push(line);
                }
                Err(source) => break Err(source),
            }
            if batch.len() == BATCH && sender.send(std::mem::take(&mut batch)).is_err() {
                break Ok(());
            }
        };
        if !batch.is_empty() {
            // A worker that is gone has panicked, which joining it reports.
            let _ = sender.send(batch);
        }
        drop(sender);
        for thread in threads {
            if let Ok(rejected) = thread.join() {
                corpus.rejected += rejected?;
            }
        }
        result
    });
    outcome.map_err(|source| EvaluateError::File {
        path: path.to_owned(),
        source,
    })
}

/// Drops what matching does not look at.
fn trim(mut record: Record) -> Record {
    record.cvss = Vec::new();
    record.exploitation = Vec::new();
    record.weaknesses = Vec::new();
    let mut english = (0..record.descriptions.len())
        .filter(|&index| record.descriptions[index].value.is_english());
    // An overlay's first says why it overrides, its last what the vulnerability is.
    let english = match record.source {
        Source::CpeOverlay => english.next_back(),
        _ => english.next(),
    }
    .unwrap_or(0);
    record.descriptions = record
        .descriptions
        .into_iter()
        .skip(english)
        .take(1)
        .collect();
    for description in &mut record.descriptions {
        let text = &mut description.value.text;
        let end = (0..=text.len().min(MAX_TEXT))
            .rev()
            .find(|&index| text.is_char_boundary(index))
            .unwrap_or(0);
        text.truncate(end);
        text.shrink_to_fit();
    }
    record.references.truncate(MAX_REFERENCES);
    for reference in &mut record.references {
        reference.value.tags = Vec::new();
    }
    record.references.shrink_to_fit();
    record.affected.shrink_to_fit();
    record
}
