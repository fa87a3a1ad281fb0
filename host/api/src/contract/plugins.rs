//! What the HTTP edge asks of the engine about plugins, for the operator.

use engine::{Engine, Error, LoadedPlugin};

use super::Soon;

/// The plugins as the HTTP edge sees them.
#[allow(missing_docs)]
pub trait Plugins: Send + Sync + 'static {
    fn plugins(&self) -> Vec<LoadedPlugin>;
    fn clear_plugin<'a>(&'a self, name: &'a str) -> Soon<'a, Result<LoadedPlugin, Error>>;
}

// The inherent methods of `Engine` go before those of the trait, so none of these calls itself.
impl Plugins for Engine {
    fn plugins(&self) -> Vec<LoadedPlugin> {
        Engine::plugins(self)
    }

    fn clear_plugin<'a>(&'a self, name: &'a str) -> Soon<'a, Result<LoadedPlugin, Error>> {
        Box::pin(Engine::clear_plugin(self, name))
    }
}
