//! A disk whose power can be cut: ext4 in an image file on a loop device.
//!
//! What a cut leaves is a copy of the image while nothing is being written to the device: what the
//! file system had not handed to the device is not in it. ext4 replays its own journal when the
//! copy is mounted, as it would when the power comes back.
//!
//! Not modelled: a device that loses what it has taken but was not told to flush. Linux only; needs
//! root.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::{built, eventually, number};

const IMAGE_BYTES: u64 = 192 << 20;
/// `EXT4_IOC_SHUTDOWN` of linux/ext4.h, and `EXT4_GOING_FLAGS_NOLOGFLUSH`: nothing more is written,
/// not even what the file system's own journal was about to write.
const SHUT_DOWN: &str = r#"
    open(my $mounted, "<", $ARGV[0]) or die "$ARGV[0]: $!\n";
    my $without_log_flush = pack("L", 2);
    ioctl($mounted, 0x8004587d, $without_log_flush) or die "EXT4_IOC_SHUTDOWN: $!\n";
"#;

const REMEDY: &str = "run it as root, on Linux with loop devices (/dev/loop-control; in a \
                      container CAP_SYS_ADMIN, too), e2fsprogs and perl";

/// When the power goes.
#[derive(Clone, Copy, Debug)]
pub enum Moment {
    /// What the process had asked the file system for is done.
    BetweenWrites,
    /// It is not, if the process was waiting for it.
    InAWrite,
}

/// A mounted image; unmounted and removed when dropped.
pub struct Disk {
    folder: TempDir,
    image: u32,
}

impl Disk {
    /// A new one; none where this machine has none, and then nothing is shown of `what`. That is
    /// said past the capture of what a test prints, and is a failure where cuts were asked for.
    pub fn or_unshown(what: &str) -> Option<Disk> {
        let why = match Disk::new() {
            Ok(disk) => return Some(disk),
            Err(why) => why,
        };
        let asked = number("TOLLGATE_CUTS");
        assert!(asked.is_none(), "no disk can be mounted here ({why}): {REMEDY}");
        let said = format!("\nNOT SHOWN: {what}: no disk can be mounted here ({why}): {REMEDY}\n");
        std::io::stderr().write_all(said.as_bytes()).unwrap();
        None
    }

    /// A new one, empty; or why there can be none on this machine.
    pub fn new() -> Result<Disk, String> {
        run("perl", &["-e", "1"], &[])?;
        let within = std::env::var_os("TOLLGATE_DISKS").map_or_else(built, PathBuf::from);
        let folder = TempDir::with_prefix_in("disk-", &within);
        let folder = folder.map_err(|error| format!("{}: {error}", within.display()))?;
        let disk = Disk { folder, image: 0 };
        fs::create_dir(disk.mounted()).unwrap();
        let image = fs::File::create(disk.image(0)).unwrap();
        image.set_len(IMAGE_BYTES).unwrap();
        // Nothing kept for root: a full disk is full for everybody.
        let options = ["-q", "-F", "-m", "0", "-E", "lazy_itable_init=1"];
        run("mkfs.ext4", &options, &[&disk.image(0)])?;
        disk.mount()?;
        Ok(disk)
    }

    /// A folder on it. The root of a file system is never empty.
    pub fn store(&self) -> PathBuf {
        self.mounted().join("store")
    }

    /// Takes all the space there is, as a log that nobody looks after; how many bytes that was.
    pub fn fill(&self) -> u64 {
        let path = self.mounted().join("filler");
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        let (mut taken, mut piece) = (0, vec![7_u8; 1 << 20]);
        while !piece.is_empty() {
            match file.write_all(&piece) {
                Ok(()) => taken += piece.len() as u64,
                // Down to the last byte.
                Err(_) => piece.truncate(piece.len() / 2),
            }
        }
        // Space is promised by the file system and given when the bytes are written.
        let _ = file.sync_all();
        taken
    }

    /// Gives it back.
    pub fn clear(&self) {
        fs::remove_file(self.mounted().join("filler")).unwrap();
    }

    fn mounted(&self) -> PathBuf {
        self.folder.path().join("mounted")
    }

    fn image(&self, number: u32) -> PathBuf {
        self.folder.path().join(format!("{number}.img"))
    }

    /// The loop device goes by itself when this mount does, and so with a mount namespace.
    fn mount(&self) -> Result<(), String> {
        let options = ["-t", "ext4", "-o", "loop,noatime,noinit_itable"];
        run("mount", &options, &[&self.image(self.image), &self.mounted()])
    }

    /// Cuts the power under a process, which never runs again: kill it before the power comes back.
    /// From here on the disk holds what it held at this moment.
    pub async fn cut(&mut self, process: u32, moment: Moment) -> Without<'_> {
        send_stop(process);
        match moment {
            Moment::BetweenWrites => all_threads(process, "stopped", &['T', 'Z']).await,
            Moment::InAWrite => {
                // First the process: a file system that is being shut down can say yes to the
                // `fdatasync` under way, and nobody who heard that may live to act on it.
                all_threads(process, "stopped or inside the kernel", &['T', 'Z', 'D']).await;
                self.fail();
            }
        }
        self.without().await
    }

    /// The device fails under the file system at once, whatever that is doing: everything on it
    /// fails from here on.
    pub fn fail(&self) {
        run("perl", &["-e", SHUT_DOWN], &[&self.mounted()]).unwrap();
    }

    /// What the device holds, once nothing is being written to it.
    pub async fn without(&mut self) -> Without<'_> {
        let next = self.image(self.image + 1);
        let (image, activity) = (self.image(self.image), self.activity());
        eventually("the disk is quiet", async || {
            let before = activity.writes_done()?;
            run("cp", &["--sparse=auto"], &[&image, &next]).unwrap();
            (activity.writes_done()? == before).then_some(())
        })
        .await;
        Without(self)
    }

    fn activity(&self) -> Activity {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let here = self.mounted().display().to_string();
        let mut mounts = mounts.lines().map(|line| line.split(' '));
        let device = mounts.find_map(|mut words| {
            let device = words.next()?;
            (words.next()? == here).then(|| device.to_owned())
        });
        let device = device.expect("the disk is mounted");
        let name = Path::new(&device).file_name().expect("a device has a name");
        Activity(Path::new("/sys/block").join(name))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: whoever still holds a file on it is ending too.
        let _ = run("umount", &["--lazy"], &[&self.mounted()]);
    }
}

/// A disk without power.
#[must_use]
pub struct Without<'a>(&'a mut Disk);

impl Without<'_> {
    /// The power comes back.
    pub fn restore(self) {
        let Without(disk) = self;
        run("umount", &[], &[&disk.mounted()]).unwrap();
        fs::remove_file(disk.image(disk.image)).unwrap();
        disk.image += 1;
        disk.mount().unwrap();
    }
}

/// What a block device has done; see Documentation/block/stat.rst of Linux.
struct Activity(PathBuf);

impl Activity {
    /// Writes and flushes that it has finished; none while one is under way.
    fn writes_done(&self) -> Option<[u64; 2]> {
        let numbers = |name: &str| -> Vec<u64> {
            let text = fs::read_to_string(self.0.join(name)).unwrap();
            text.split_whitespace().map(|number| number.parse().unwrap()).collect()
        };
        let quiet = numbers("inflight").iter().all(|under_way| *under_way == 0);
        let done = numbers("stat");
        let flushes = done.get(15).copied().unwrap_or_default();
        quiet.then_some([done[4], flushes])
    }
}

fn send_stop(process: u32) {
    run("kill", &["-STOP", &process.to_string()], &[]).unwrap();
}

/// Waits until every thread of a process is in one of these states; see proc_pid_stat(5).
async fn all_threads(process: u32, what: &str, states: &[char]) {
    eventually(&format!("every thread is {what}"), async || {
        let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap();
        let mut there = threads.map(|thread| {
            let stat = fs::read_to_string(thread.unwrap().path().join("stat")).unwrap_or_default();
            stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(states))
        });
        there.all(|there| there).then_some(())
    })
    .await;
}

/// Longer than a host that cannot write takes to notice.
pub const NOTICED: Duration = Duration::from_secs(20);

fn run(program: &str, options: &[&str], paths: &[&Path]) -> Result<(), String> {
    let output = Command::new(program).args(options).args(paths).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{program}: {}", said.trim()))
}
