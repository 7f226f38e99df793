// Times evaluations by the original AutoML-Zero (google-research/automl_zero), for benchmarks/beside_original.py.
//
// Build it in a folder with the original's sources, of which it is compiled with all but tests and
// run_search_experiment.cc (protobuf's headers under both names, task.pb.h and task.proto.h, as Bazel has them):
//   protoc --cpp_out=. *.proto
//   g++ -std=c++17 -O3 -march=native -DNDEBUG -DMAX_SCALAR_ADDRESSES=5 -DMAX_VECTOR_ADDRESSES=9
//       -DMAX_MATRIX_ADDRESSES=2 -I. -I/usr/include/eigen3 ... original_evaluation.cc *.pb.cc -o original_evaluation
//       (absl_flags, absl_strings, absl_time, absl_random_distributions, absl_raw_hash_set, protobuf, glog, pthread)
//
//   original_evaluation linear|neural-net F TASKS N_TRAIN N_VALID RUNS   prints the runs' microseconds of user CPU

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <sstream>
#include <string>

#include "algorithm.h"
#include "definitions.h"
#include "evaluator.h"
#include "generator.h"
#include "google/protobuf/text_format.h"
#include "random_generator.h"
#include "task.pb.h"

namespace {

double cpu_seconds() {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return used.ru_utime.tv_sec + 1e-6 * used.ru_utime.tv_usec;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace automl_zero;  // NOLINT
  if (argc != 7) {
    std::fprintf(stderr, "original_evaluation linear|neural-net F TASKS N_TRAIN N_VALID RUNS\n");
    return 2;
  }
  const bool linear = std::string(argv[1]) == "linear";
  const int tasks = std::atoi(argv[3]), runs = std::atoi(argv[6]);
  std::mt19937 bits(1);
  RandomGenerator random(&bits);
  Generator generator(NO_OP_ALGORITHM, 0, 0, 0, {}, {}, {}, &bits, &random);
  // Rates at which no task fails, which would spare the rest of its examples.
  const Algorithm program = linear ? generator.LinearModel(0.003) : generator.NeuralNet(0.0001, 0.1, 0.1);

  std::ostringstream text, seeds;
  for (int i = 1; i <= tasks; i++) seeds << (i > 1 ? "," : "") << i;
  text << "tasks { " << (linear ? "scalar_linear_regression_task" : "scalar_2layer_nn_regression_task")
       << " {} features_size: " << argv[2] << " num_tasks: " << tasks << " num_train_examples: " << argv[4]
       << " num_valid_examples: " << argv[5] << " eval_type: RMS_ERROR data_seeds: [" << seeds.str()
       << "] param_seeds: [" << seeds.str() << "] }";
  TaskCollection collection;
  if (!google::protobuf::TextFormat::ParseFromString(text.str(), &collection)) return 2;
  Evaluator evaluator(MEAN_FITNESS_COMBINATION, collection, &random, nullptr, nullptr, 100.0);

  double total = 0.0;
  int repeats = 0;
  for (const double start = cpu_seconds(); cpu_seconds() - start < 0.02; repeats++) total += evaluator.Evaluate(program);
  for (int run = 0; run < runs; run++) {
    const double start = cpu_seconds();
    for (int i = 0; i < repeats; i++) total += evaluator.Evaluate(program);
    std::fprintf(stderr, "%.6g\n", (cpu_seconds() - start) / repeats * 1e6);
  }
  return total < 0.0;  // used, so that no evaluation is left out
}
