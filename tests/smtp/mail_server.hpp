// The real mail server of the tests (server.py), its mailbox, and certificates for it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/temporary_directory.hpp"

extern char** environ; // NOLINT(readability-redundant-declaration)

namespace faultline::test {

/// A program that runs until it is told to end: by the end of its standard input, or killed.
class child_process {
 public:
  child_process() = default;
  /// Starts it and waits for a line on its standard output.
  explicit child_process(std::vector<std::string> words) {
    int to_child[2];
    int from_child[2];
    if (::pipe2(to_child, O_CLOEXEC) != 0 || ::pipe2(from_child, O_CLOEXEC) != 0)
      throw std::runtime_error("no pipes");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to_child[0], 0);
    posix_spawn_file_actions_adddup2(&actions, from_child[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const int error = ::posix_spawn(&process_, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(to_child[0]);
    ::close(from_child[1]);
    input_ = to_child[1];
    char byte = 0;
    while (error == 0 && byte != '\n' && ::read(from_child[0], &byte, 1) == 1) {
    }
    ::close(from_child[0]);
    if (error != 0 || byte != '\n') throw std::runtime_error("cannot start " + words[0]);
  }
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;
  ~child_process() { kill(); }

  void kill() {
    if (process_ < 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    ::close(input_);
    process_ = -1;
  }

 private:
  ::pid_t process_ = -1;
  int input_ = -1;
};

/// A key and a certificate for localhost and 127.0.0.1, signed by itself.
class certificate {
 public:
  explicit certificate(const std::string& name = "localhost") {
    const std::string subject = name == "localhost" ? "DNS:localhost,IP:127.0.0.1" : "DNS:" + name;
    const std::string command =
        std::string(TEST_OPENSSL) + " req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=" + name +
        " -addext subjectAltName=" + subject + " -keyout " + key() + " -out " + file() + " >/dev/null 2>&1";
    if (std::system(command.c_str()) != 0) throw std::runtime_error("openssl cannot make a certificate");
  }
  [[nodiscard]] std::string file() const { return folder_.file("certificate.pem"); }
  [[nodiscard]] std::string key() const { return folder_.file("key.pem"); }

 private:
  temporary_directory folder_;
};

/// One certificate for all cases: making a key takes a while.
inline const certificate& our_certificate() {
  static const certificate made;
  return made;
}

/// Text that was quoted-printable. Written for its clarity.
inline std::string decoded(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      result += text[i];
    } else {
      const std::string code = text.substr(i + 1, 2);
      if (code != "\r\n") result += static_cast<char>(std::stoi(code, nullptr, 16));
      i += 2;
    }
  }
  return result;
}

/// What server.py accepted.
class mailbox {
 public:
  [[nodiscard]] std::string folder() const { return folder_.file(""); }
  /// The mails as received, in their order.
  [[nodiscard]] std::vector<std::string> mails() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder()))
      if (entry.path().extension() == ".eml") names.push_back(entry.path().string());
    std::sort(names.begin(), names.end());
    std::vector<std::string> result;
    for (const std::string& name : names) result.push_back(contents(name));
    return result;
  }
  /// The lines of each mail's body.
  [[nodiscard]] std::vector<std::vector<std::string>> bodies() const {
    std::vector<std::vector<std::string>> result;
    for (const std::string& mail : mails()) {
      std::string body = decoded(mail.substr(mail.find("\r\n\r\n") + 4));
      auto& lines = result.emplace_back();
      for (std::size_t end = 0; (end = body.find("\r\n")) != std::string::npos; body.erase(0, end + 2))
        lines.push_back(body.substr(0, end));
    }
    return result;
  }
  /// All lines of all bodies.
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> result;
    for (const auto& body : bodies()) result.insert(result.end(), body.begin(), body.end());
    return result;
  }

 private:
  temporary_directory folder_;
};

/// server.py's arguments beyond the port and the folder.
inline std::vector<std::string> server_words(std::uint16_t port, const mailbox& box,
                                             const std::vector<std::string>& more = {}) {
  std::vector<std::string> words = {TEST_PYTHON, TEST_SERVER, std::to_string(port), box.folder()};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

inline std::vector<std::string> with_tls_and_login(std::vector<std::string> more = {}) {
  const auto& c = our_certificate();
  more.insert(more.end(), {"--certificate", c.file(), "--key", c.key(), "--user", "shop", "--password",
                           "right password"});
  return more;
}

} // namespace faultline::test
