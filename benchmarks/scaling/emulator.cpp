// A network that delays packets and limits their rate: a process between network namespaces.
//
//   emulator DELAY_SECONDS BITS_PER_SECOND FD...
//
// It does what the kernel's traffic shaper netem does, for kernels that were built without netem.
// Each namespace has a TUN device, at whose other end is one of the file descriptors FD. This
// process reads the packets, holds them back, and writes them to the device of their destination.
// The address of the k-th device, from 0, ends with k + 1.
//
// Every device has a link of its own to a switch, with BITS_PER_SECOND in each direction. A packet
// waits until its sender's link is free; packets to different destinations take turns, as with
// Linux's fq_codel. It reaches the switch DELAY_SECONDS after its last bit was sent, and waits
// until the link of its destination is free. No packet is lost, and queues are not limited.

#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <utility>
#include <vector>

namespace {

// A packet as it is read: virtio's header, whose bytes 1, 4 and 5 say whether and into which
// payloads the network card of a real machine would cut it, then an IPv4 header.
constexpr int kVirtioHeader = 10;
constexpr int kLastByteOfDestination = kVirtioHeader + 19;
constexpr int kLargest = kVirtioHeader + 65536;
constexpr int kHeaders = 20 + 32;          // bytes of IPv4, and of TCP with timestamps
constexpr int kFraming = 8 + 14 + 4 + 12;  // bytes of Ethernet: preamble, header, checksum, gap
constexpr int kPriority = 10;              // above other processes, as the kernel's network code
constexpr int kReadsInARow = 16;

struct Packet {
  std::vector<uint8_t> bytes;
  int size;

  // The bytes on Ethernet, cut into frames each of which has all headers.
  int on_wire() const {
    const int length = size - kVirtioHeader;
    if (bytes[1] == 0) return length + kFraming;  // not to be cut
    const int payload = bytes[4] | bytes[5] << 8;
    const int frames = (length - kHeaders + payload - 1) / payload;
    return length + (frames - 1) * kHeaders + frames * kFraming;
  }
};

using PacketPtr = std::shared_ptr<Packet>;

struct Port {
  int fd;
  std::vector<std::deque<PacketPtr>> waiting;  // for the link to the switch, by destination
  size_t turn = 0;                             // the destination that was served last
  bool is_sending = false;
  double arrived = 0;  // when the last bit of all packets so far reaches the namespace
};

struct Event {
  double time;
  int64_t number;  // orders events with the same time
  std::function<void(double)> action;

  bool operator<(const Event& other) const {
    return std::pair(time, number) > std::pair(other.time, other.number);  // the earliest on top
  }
};

double now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

class Switch {
 public:
  Switch(const std::vector<int>& fds, double delay, double rate) : delay_(delay), rate_(rate / 8) {
    for (int fd : fds) ports_.push_back({fd, std::vector<std::deque<PacketPtr>>(fds.size())});
  }

  // Forwards packets until the process is ended.
  void serve() {
    std::vector<pollfd> polled;
    for (const Port& port : ports_) polled.push_back({port.fd, POLLIN, 0});
    for (;;) {
      while (!events_.empty() && events_.top().time <= now()) {
        const Event event = events_.top();
        events_.pop();
        event.action(event.time);
      }
      wait(polled);
      for (size_t i = 0; i < polled.size(); ++i) {
        if (polled[i].revents) take(i);
      }
    }
  }

 private:
  void wait(std::vector<pollfd>& polled) const {
    timespec left{};
    if (!events_.empty()) {
      const double seconds = std::max(0.0, events_.top().time - now());
      left.tv_sec = static_cast<time_t>(seconds);
      left.tv_nsec = static_cast<long>((seconds - static_cast<double>(left.tv_sec)) * 1e9);
    }
    ppoll(polled.data(), polled.size(), events_.empty() ? nullptr : &left, nullptr);
  }

  void at(double time, std::function<void(double)> action) {
    events_.push({time, count_++, std::move(action)});
  }

  // Reads packets, and sends them when the link is free.
  void take(size_t source) {
    for (int i = 0; i < kReadsInARow; ++i) {
      PacketPtr packet = empty_packet();
      packet->size = static_cast<int>(read(ports_[source].fd, packet->bytes.data(), kLargest));
      if (packet->size <= 0) return;
      const bool is_ipv4 = packet->bytes[kVirtioHeader] >> 4 == 4;
      const size_t target = packet->bytes[kLastByteOfDestination] - 1u;
      if (!is_ipv4 || target >= ports_.size()) continue;  // IPv6, or multicast
      ports_[source].waiting[target].push_back(packet);
      if (!ports_[source].is_sending) send_next(now(), source);
    }
  }

  void send_next(double time, size_t source) {
    Port& port = ports_[source];
    port.is_sending = false;
    for (size_t i = 0; i < ports_.size() && !port.is_sending; ++i) {
      port.turn = (port.turn + 1) % ports_.size();
      port.is_sending = !port.waiting[port.turn].empty();
    }
    if (!port.is_sending) return;
    const PacketPtr packet = port.waiting[port.turn].front();
    port.waiting[port.turn].pop_front();
    const double sent = time + packet->on_wire() / rate_;
    at(sent, [this, source](double then) { send_next(then, source); });
    const size_t target = port.turn;
    at(sent + delay_, [this, target, packet](double then) { reach(then, target, packet); });
  }

  // Lets a packet pass the link of its destination when this is free.
  void reach(double time, size_t target, const PacketPtr& packet) {
    Port& port = ports_[target];
    port.arrived = std::max(port.arrived + packet->on_wire() / rate_, time);
    at(port.arrived, [this, target, packet](double) { deliver(target, packet); });
  }

  void deliver(size_t target, const PacketPtr& packet) {
    const auto size = static_cast<size_t>(packet->size);
    if (write(ports_[target].fd, packet->bytes.data(), size) < 0) return;  // it has been closed
    unused_.push_back(packet);
  }

  PacketPtr empty_packet() {
    if (unused_.empty()) {
      return std::make_shared<Packet>(Packet{std::vector<uint8_t>(kLargest), 0});
    }
    PacketPtr packet = unused_.back();
    unused_.pop_back();
    return packet;
  }

  double delay_, rate_;  // seconds, bytes per second
  std::vector<Port> ports_;
  std::priority_queue<Event> events_;
  int64_t count_ = 0;
  std::vector<PacketPtr> unused_;
};

}  // namespace

int main(int count, char** arguments) {
  sched_param priority{};
  priority.sched_priority = kPriority;
  sched_setscheduler(0, SCHED_FIFO, &priority);
  prctl(PR_SET_TIMERSLACK, 1UL);  // nanoseconds
  std::vector<int> fds;
  for (int i = 3; i < count; ++i) fds.push_back(std::atoi(arguments[i]));
  Switch(fds, std::atof(arguments[1]), std::atof(arguments[2])).serve();
}
