//! The guest's allocator: an arena in BSS that is never given back.
//!
//! An instance serves one call and is dropped, so freeing is the host's business. Memory that is
//! part of the module from the start costs the host no `memory.grow` (which moves a page-table
//! boundary, the dearest part of a fresh call); only a guest that outgrows the arena pays for it.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::UnsafeCell;
use std::ptr::null_mut;

/// Large enough for a provider's usual conversation and its parsing. Untouched pages are free.
const ARENA_BYTES: usize = 256 * 1024;
const PAGE_BYTES: usize = 64 * 1024;

#[repr(align(16))]
struct Block(UnsafeCell<[u8; ARENA_BYTES]>);

struct Arena {
    block: Block,
    /// Address of the first free byte and of the end; both 0 before the first allocation.
    free: UnsafeCell<(usize, usize)>,
}

// SAFETY: wasm32-unknown-unknown without atomics has one thread.
unsafe impl Sync for Arena {}

#[global_allocator]
static ARENA: Arena =
    Arena { block: Block(UnsafeCell::new([0; ARENA_BYTES])), free: UnsafeCell::new((0, 0)) };

impl Arena {
    /// Moves to fresh pages at the end of memory, at least `size` bytes.
    fn grow(&self, free: &mut usize, end: &mut usize, size: usize) -> bool {
        let pages = size.div_ceil(PAGE_BYTES).max(4);
        let before = core::arch::wasm32::memory_grow(0, pages);
        if before == usize::MAX {
            return false;
        }
        // Fresh pages that follow ours continue it, else the rest of the old space is left behind.
        if before * PAGE_BYTES != *end {
            *free = before * PAGE_BYTES;
        }
        *end = (before + pages) * PAGE_BYTES;
        true
    }

    fn take(&self, layout: Layout) -> *mut u8 {
        // SAFETY: one thread, and no call below re-enters the allocator.
        let (free, end) = unsafe { &mut *self.free.get() };
        if *end == 0 {
            *free = self.block.0.get() as usize;
            *end = *free + ARENA_BYTES;
        }
        let fit = |free: usize| {
            let at = free.checked_next_multiple_of(layout.align())?;
            Some((at, at.checked_add(layout.size())?))
        };
        loop {
            match fit(*free) {
                Some((at, after)) if after <= *end => {
                    *free = after;
                    return at as *mut u8;
                }
                Some(_) if self.grow(free, end, layout.size() + layout.align()) => {}
                _ => return null_mut(),
            }
        }
    }
}

// SAFETY: `take` hands out each byte once, aligned, inside memory that is ours; the last block
// alone is resized or given back in place.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.take(layout)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as in `take`.
        let (free, _) = unsafe { &mut *self.free.get() };
        if block as usize + layout.size() == *free {
            *free = block as usize;
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as in `take`.
        let (free, end) = unsafe { &mut *self.free.get() };
        let at = block as usize;
        if at + layout.size() == *free && at.checked_add(size).is_some_and(|after| after <= *end) {
            *free = at + size;
            return block;
        }
        // SAFETY: the caller's layout was valid and `size` does not overflow when rounded up.
        let moved = self.take(unsafe { Layout::from_size_align_unchecked(size, layout.align()) });
        if !moved.is_null() {
            // SAFETY: both blocks are ours, distinct, and at least this long.
            unsafe { std::ptr::copy_nonoverlapping(block, moved, layout.size().min(size)) };
        }
        moved
    }
}
