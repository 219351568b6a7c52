// The limit the kernels are measured against: implicit ALS, d = 64, exact blocked Cholesky, AVX2 + FMA.
// The same algorithm as models/kernels/assembly: panels of gathered rows, a register-blocked rank update that both
// builds each row's matrix and serves its left-looking factorization, 32-row chunks off an atomic counter.
//
//   g++ -O3 -mavx2 -mfma -ffast-math -pthread als.cpp -o als
//   ./als DATA EPOCHS THREADS        prints wall-clock and CPU seconds of each epoch, then Σ xᵀy over the interactions
// DATA: uint32 users, items, nnz; starts and columns by user; starts and columns by item.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>
#include <thread>
#include <vector>

constexpr int D = 64;
constexpr int PANEL = 128;
constexpr float UNOBSERVED = 0.3f;
constexpr float REG = 0.01f;

typedef float Vec __attribute__((vector_size(32), aligned(4), may_alias));
static inline Vec load(const float* p) { return *reinterpret_cast<const Vec*>(p); }
static inline void store(float* p, Vec v) { *reinterpret_cast<Vec*>(p) = v; }
static inline Vec splat(float x) { return Vec{x, x, x, x, x, x, x, x}; }

struct Side {
  std::vector<uint32_t> starts, columns;
  std::vector<float> factors;
  int rows() const { return static_cast<int>(starts.size()) - 1; }
};

struct alignas(32) Scratch {
  float a[D * D], b[D], inverses[D], panel[PANEL * D];
};

// Rows i … i+3, columns j … j+15 of C ± ZᵀZ.
template <bool minus>
static inline void block(const float* z, int n, int i, int j, float* c) {
  Vec a0 = splat(0), b0 = a0, a1 = a0, b1 = a0, a2 = a0, b2 = a0, a3 = a0, b3 = a0;
  for (const float* end = z + static_cast<size_t>(n) * D; z < end; z += D) {
    const Vec u = load(z + j), v = load(z + j + 8);
    Vec s = splat(z[i]);
    a0 += s * u, b0 += s * v;
    s = splat(z[i + 1]);
    a1 += s * u, b1 += s * v;
    s = splat(z[i + 2]);
    a2 += s * u, b2 += s * v;
    s = splat(z[i + 3]);
    a3 += s * u, b3 += s * v;
  }
  const Vec left[4] = {a0, a1, a2, a3}, right[4] = {b0, b1, b2, b3};
  for (int r = 0; r < 4; r++) {
    float* t = c + (i + r) * D + j;
    store(t, minus ? load(t) - left[r] : load(t) + left[r]);
    store(t + 8, minus ? load(t + 8) - right[r] : load(t + 8) + right[r]);
  }
}

static void rankUpdate(const float* z, int n, float* c) {
  for (int i = 0; i < D; i += 4)
    for (int j = i & ~15; j < D; j += 16) block<false>(z, n, i, j, c);
}

// A = UᵀU on the upper triangle, then b becomes A⁻¹b.
static void choleskySolve(float* a, float* b, float* inverses) {
  for (int i = 0; i < D; i += 4) {
    for (int j = i & ~15; j < D; j += 16) block<true>(a, i, i, j, a);
    for (int p = i; p < i + 4; p++) {
      float* r = a + p * D;
      for (int m = i; m < p; m++) {
        const Vec c = splat(-a[m * D + p]);
        for (int j = i & ~7; j < D; j += 8) store(r + j, load(r + j) + c * load(a + m * D + j));
      }
      inverses[p] = 1 / std::sqrt(r[p]);
      const Vec c = splat(inverses[p]);
      for (int j = i & ~7; j < D; j += 8) store(r + j, load(r + j) * c);
    }
  }
  for (int k = 0; k < D; k++) {
    const float z = b[k] * inverses[k];
    for (int j = k + 1; j < D; j++) b[j] -= z * a[k * D + j];
    b[k] = z;
  }
  for (int k = D - 1; k >= 0; k--) {
    float x = b[k];
    for (int j = k + 1; j < D; j++) x -= b[j] * a[k * D + j];
    b[k] = x * inverses[k];
  }
}

static void solveRows(Side& side, const Side& fixed, const float* gram, int from, int to) {
  static thread_local Scratch s;
  for (int row = from; row < to; row++) {
    const uint32_t first = side.starts[row], end = side.starts[row + 1];
    std::memcpy(s.a, gram, sizeof s.a);
    std::memset(s.b, 0, sizeof s.b);
    const float ridge = REG * (static_cast<float>(end - first) + UNOBSERVED * static_cast<float>(fixed.rows()));
    for (int i = 0; i < D; i++) s.a[i * D + i] += ridge;
    for (uint32_t slot = first; slot < end; slot += PANEL) {
      const int taken = static_cast<int>(std::min<uint32_t>(PANEL, end - slot));
      for (int p = 0; p < taken; p++) {
        const float* f = &fixed.factors[static_cast<size_t>(side.columns[slot + p]) * D];
        for (int k = 0; k < D; k += 8) {
          store(s.panel + p * D + k, load(f + k));
          store(s.b + k, load(s.b + k) + load(f + k));
        }
      }
      rankUpdate(s.panel, taken, s.a);
    }
    choleskySolve(s.a, s.b, s.inverses);
    std::memcpy(&side.factors[static_cast<size_t>(row) * D], s.b, sizeof s.b);
  }
}

// Calls f(from, to) over all rows, `chunk` at a time.
template <class F>
static void inParallel(int threads, int rows, int chunk, F f) {
  std::atomic<int> next{0};
  auto work = [&] {
    for (int from; (from = next.fetch_add(chunk)) < rows;) f(from, std::min(rows, from + chunk));
  };
  std::vector<std::thread> others;
  for (int t = 1; t < threads; t++) others.emplace_back(work);
  work();
  for (auto& thread : others) thread.join();
}

static void halfSweep(Side& side, const Side& fixed, int threads) {
  const int chunk = 2048, chunks = (fixed.rows() + chunk - 1) / chunk;
  std::vector<float> partials(static_cast<size_t>(chunks) * D * D), gram(D * D);
  inParallel(threads, fixed.rows(), chunk, [&](int from, int to) {
    float* c = &partials[static_cast<size_t>(from / chunk) * D * D];
    for (int row = from; row < to; row += PANEL)
      rankUpdate(&fixed.factors[static_cast<size_t>(row) * D], std::min(PANEL, to - row), c);
  });
  for (size_t k = 0; k < partials.size(); k++) gram[k % (D * D)] += UNOBSERVED * partials[k];
  inParallel(threads, side.rows(), 32, [&](int from, int to) { solveRows(side, fixed, gram.data(), from, to); });
}

int main(int argc, char** argv) {
  if (argc != 4) return std::fprintf(stderr, "usage: als DATA EPOCHS THREADS\n"), 2;
  std::FILE* file = std::fopen(argv[1], "rb");
  uint32_t head[3];
  if (file == nullptr || std::fread(head, 4, 3, file) != 3) return std::fprintf(stderr, "no data\n"), 1;
  Side users, items;
  for (auto [side, rows] : {std::pair<Side*, uint32_t>{&users, head[0]}, {&items, head[1]}}) {
    side->starts.resize(rows + 1);
    side->columns.resize(head[2]);
    side->factors.resize(static_cast<size_t>(rows) * D);
    for (auto* part : {&side->starts, &side->columns})
      if (std::fread(part->data(), 4, part->size(), file) != part->size()) return 1;
  }
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 0.1f / std::sqrt(static_cast<float>(D)));
  for (float& factor : items.factors) factor = normal(random);

  const int epochs = std::atoi(argv[2]), threads = std::atoi(argv[3]);
  for (int epoch = 0; epoch < epochs; epoch++) {
    const auto began = std::chrono::steady_clock::now();
    const std::clock_t cpuBegan = std::clock();
    halfSweep(users, items, threads);
    halfSweep(items, users, threads);
    const double cpu = static_cast<double>(std::clock() - cpuBegan) / CLOCKS_PER_SEC;
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
    std::printf("%.5f %.5f\n", wall.count(), cpu);
  }
  double observed = 0;
  for (int u = 0; u < users.rows(); u++)
    for (uint32_t slot = users.starts[u]; slot < users.starts[u + 1]; slot++)
      for (int k = 0; k < D; k++)
        observed += users.factors[static_cast<size_t>(u) * D + k] *
                    items.factors[static_cast<size_t>(users.columns[slot]) * D + k];
  std::printf("observed %.1f\n", observed);
}
