//! From a file's bytes to a plugin that can be called: every check, each refusal in words.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::cache::Cache;
use crate::call::{Call, HasView, Plugin, View};
use crate::compile::{Compiler, Failed};
use crate::contract::bindings::{ProviderPre, tollgate};
use crate::description::Asked;
use crate::fault::one_line;
use crate::generation::{Code, Generation, Loaded};
use crate::lane::Lane;
use crate::{Digest, Error, ErrorKind, Limits, runtime};

/// The number of decimal places of an ISO 4217 currency; `None` for a code that is none.
pub type Decimals = fn(&str) -> Option<u8>;

/// Called with the name of the export after each call, while the memory of its instance is still
/// there: for a proof of what it holds.
#[derive(Clone, Default)]
pub(crate) struct Witness(Option<Arc<dyn Fn(&'static str) + Send + Sync>>);

impl Witness {
    pub(crate) fn look(&self, export: &'static str) {
        if let Some(look) = &self.0 {
            look(export);
        }
    }
}

impl std::fmt::Debug for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Witness")
    }
}

/// What a plugin may import.
const IMPORTS: [&str; 3] = [
    "tollgate:adapter/types@0.1.0",
    "tollgate:adapter/crypto@0.1.0",
    "tollgate:adapter/payments@0.1.0",
];
/// A name out of a component is cut here when it is told.
const NAME_BYTES_MAX: usize = 256;
/// The first eight bytes of a core module, and of a component.
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// Places of the pool that are taken; all are 0 when no call runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InUse {
    /// Instances of components: one a call.
    pub components: u64,
    /// Instances of the core modules in them.
    pub instances: u64,
    /// Linear memories.
    pub memories: usize,
    /// Tables.
    pub tables: usize,
}

/// Loads plugins and runs them within limits. One is enough for a process.
pub struct Sandbox {
    engine: Engine,
    linker: Linker<Call>,
    limits: Limits,
    cache: Option<Cache>,
    places: Arc<Semaphore>,
    decimals: Decimals,
    witness: Witness,
    compiler: Compiler,
    /// Held while a plugin describes itself: the pool has one place for it.
    describing: Mutex<()>,
}

impl Sandbox {
    /// A sandbox with these limits, which keeps compiled code in `cache_dir` if there is one.
    ///
    /// # Errors
    /// `Engine` when the machine cannot reserve what the limits ask for; `Cache` when others may
    /// write to the directory.
    pub fn new(
        limits: Limits,
        cache_dir: Option<PathBuf>,
        decimals: Decimals,
    ) -> Result<Sandbox, Error> {
        let engine = runtime::engine(&limits)?;
        let calls = usize::try_from(limits.concurrent_calls_max).unwrap_or(usize::MAX);
        Ok(Sandbox {
            linker: linker(&engine)?,
            engine,
            cache: cache_dir.as_deref().map(Cache::open).transpose()?,
            places: Arc::new(Semaphore::new(calls.min(Semaphore::MAX_PERMITS))),
            limits,
            decimals,
            witness: Witness::default(),
            compiler: Compiler::default(),
            describing: Mutex::new(()),
        })
    }

    /// The same with a witness of every call of plugins loaded from now on. It is called on the
    /// thread of the call, before the instance's memory is wiped; the host itself has none.
    pub fn witnessed(mut self, look: impl Fn(&'static str) + Send + Sync + 'static) -> Sandbox {
        self.witness = Witness(Some(Arc::new(look)));
        self
    }

    /// Loads a component under the operator's `name` for it. Compiles it unless that was done
    /// before, and asks it to describe itself. Blocks for the time of a compilation.
    ///
    /// # Errors
    /// Bytes that are not the pinned ones or no component; an import that a plugin does not get; an
    /// export that is missing; a compilation that takes too long; a description that makes no
    /// sense.
    pub fn load(
        &self,
        name: &str,
        component: &[u8],
        pinned: Option<&Digest>,
    ) -> Result<Generation, Error> {
        let digest = self.checked(name, component, pinned)?;
        let compiled = self.compiled(name, component, &digest)?;
        self.check_imports(name, &compiled)?;
        let code = Code { engine: self.engine.clone(), linked: self.linked(name, &compiled)? };
        let mut plugin = Plugin {
            name: name.to_owned(),
            asked: Asked::default(),
            limits: self.limits.clone(),
            decimals: self.decimals,
            witness: self.witness.clone(),
            lane: Arc::new(Lane::new(self.limits.computing_calls_per_plugin_max)),
        };
        let description = self.described(&code, &plugin)?;
        plugin.asked = Asked::of(&description).map_err(|what| {
            Error::new(ErrorKind::Description, format!("plugin `{name}` describes itself: {what}"))
        })?;
        let (plugin, places) = (Arc::new(plugin), self.places.clone());
        Ok(Generation::new(Loaded::new(plugin, digest, description, code, places)))
    }

    /// What calls, and only they, hold at this moment.
    pub fn in_use(&self) -> InUse {
        let metrics = self.engine.pooling_allocator_metrics();
        metrics.map_or_else(InUse::default, |metrics| InUse {
            components: metrics.component_instances(),
            instances: metrics.core_instances(),
            memories: metrics.memories(),
            tables: metrics.tables(),
        })
    }

    /// Checks all that can be checked without reading the component.
    fn checked(
        &self,
        name: &str,
        component: &[u8],
        pinned: Option<&Digest>,
    ) -> Result<Digest, Error> {
        let max = self.limits.component_bytes_max;
        if component.len() > max {
            let what = format!("plugin `{name}` has {} bytes, {max} allowed", component.len());
            return Err(Error::new(ErrorKind::Size, what));
        }
        let digest = Digest::of(component);
        if let Some(pinned) = pinned.filter(|pinned| **pinned != digest) {
            let what = format!("plugin `{name}` is {digest}, but {pinned} is pinned");
            return Err(Error::new(ErrorKind::Digest, what));
        }
        let what = match component {
            bytes if bytes.starts_with(COMPONENT) => return Ok(digest),
            bytes if bytes.starts_with(CORE_MODULE) => {
                "is a core module, not a component: encode it as one, as `wasm-tools component \
                 new` does"
            }
            bytes if bytes.starts_with(b"\0asm") => "is of a WebAssembly version not known here",
            _ => "is not WebAssembly",
        };
        Err(Error::new(ErrorKind::Format, format!("plugin `{name}` {what}")))
    }

    fn compiled(&self, name: &str, bytes: &[u8], digest: &Digest) -> Result<Component, Error> {
        let kept = self.cache.as_ref().and_then(|cache| cache.find(&self.engine, digest));
        if let Some(component) = kept {
            return Ok(component);
        }
        let ms_max = self.limits.compile_ms_max;
        let compiled = self.compiler.compile(&self.engine, bytes, ms_max);
        let component = compiled.map_err(|failed| uncompiled(name, failed, ms_max))?;
        if let Some(cache) = &self.cache {
            cache.keep(&self.engine, digest, &component);
        }
        Ok(component)
    }

    fn check_imports(&self, name: &str, component: &Component) -> Result<(), Error> {
        let wanted = component.component_type();
        let mut names = wanted.imports(&self.engine).map(|(import, _)| import);
        let Some(foreign) = names.find(|import| !IMPORTS.contains(import)) else { return Ok(()) };
        let remedy = match foreign {
            wasi if wasi.starts_with("wasi:") => {
                "a plugin has no WASI: build it for wasm32-unknown-unknown, or with WASI stubbed"
            }
            ours if ours.starts_with("tollgate:adapter/") => {
                "this host speaks tollgate:adapter@0.1.0: build it with the SDK of that version"
            }
            _ => {
                "a plugin gets tollgate:adapter/{types,crypto,payments} and nothing else: remove \
                  what needs it"
            }
        };
        let foreign = one_line(foreign, NAME_BYTES_MAX);
        let what = format!("plugin `{name}` imports `{foreign}`: {remedy}");
        Err(Error::new(ErrorKind::Import, what))
    }

    fn linked(&self, name: &str, component: &Component) -> Result<ProviderPre<Call>, Error> {
        let linked = self.linker.instantiate_pre(component).map_err(|error| {
            let what = format!("plugin `{name}` imports what the contract does not have");
            Error::because(ErrorKind::Import, what, error)
        })?;
        ProviderPre::new(linked).map_err(|error| {
            let what = format!(
                "plugin `{name}` does not export `tollgate:adapter/adapter@0.1.0` as the contract \
                 has it"
            );
            Error::because(ErrorKind::Export, what, error)
        })
    }

    fn described(
        &self,
        code: &Code,
        plugin: &Plugin,
    ) -> Result<crate::contract::Description, Error> {
        let _held = self.describing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let called = code.describe(plugin);
        called.map(|called| called.answer).map_err(|fault| {
            let what = format!("plugin `{}` cannot describe itself", plugin.name);
            Error::because(ErrorKind::Description, what, fault)
        })
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("limits", &self.limits).finish_non_exhaustive()
    }
}

fn uncompiled(name: &str, failed: Failed, ms_max: u64) -> Error {
    let compilation = |what| Error::new(ErrorKind::Compilation, format!("plugin `{name}` {what}"));
    match failed {
        Failed::Refused(error) => {
            let what = format!("plugin `{name}` is no component that can run here");
            Error::because(ErrorKind::Format, what, error)
        }
        Failed::Late => compilation(format!(
            "is not compiled after {ms_max} ms: smaller functions compile faster, or raise \
             `compile_ms_max`"
        )),
        Failed::Busy => compilation(
            "is not compiled: others took too long and still run; try again when they have ended"
                .to_owned(),
        ),
        Failed::Broken(what) => compilation(format!("cannot be compiled here: {what}")),
    }
}

/// Our interfaces, and nothing else.
fn linker(engine: &Engine) -> Result<Linker<Call>, Error> {
    let mut linker = Linker::new(engine);
    add(&mut linker).map_err(|error| {
        Error::because(ErrorKind::Engine, "the contract cannot be linked", error)
    })?;
    Ok(linker)
}

fn add(linker: &mut Linker<Call>) -> wasmtime::Result<()> {
    tollgate::adapter::types::add_to_linker::<Call, HasView>(linker, |call| View(call))?;
    tollgate::adapter::crypto::add_to_linker::<Call, HasView>(linker, |call| View(call))?;
    tollgate::adapter::payments::add_to_linker::<Call, HasView>(linker, |call| View(call))
}
